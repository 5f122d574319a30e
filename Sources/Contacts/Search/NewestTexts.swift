import Core
import Postgres

/// The search texts of a workspace's newest people as they were at one revision. Words that many people have fill a page
/// from them without asking the database who has them.
struct NewestTexts: Sendable {
    /// Any change of the workspace's people makes another (`ContactTotals`).
    let revision: Int
    /// Whether these are all people of the workspace.
    let isEverybody: Bool
    /// Newest first.
    let people: [ContactID]
    private let blocks: [TextBlock]
    private let blockSize: Int

    /// So many people of a workspace are kept, in about 70 bytes each.
    static let capacity: Int = 65_536
    /// After so many it is asked whether the others will fill the page.
    static let blockSize: Int = 8_192

    /// - Parameter texts: a line for each of the people.
    init(
        revision: Int, people: [ContactID], texts: [UInt8], capacity: Int = Self.capacity,
        blockSize: Int = Self.blockSize
    ) {
        self.revision = revision
        self.people = people
        self.blockSize = blockSize
        isEverybody = people.count < capacity
        var rest: ArraySlice<UInt8> = texts[...]
        blocks = stride(from: 0, to: people.count, by: blockSize).map { first in
            let end: Int = min(first + blockSize, people.count)
            return TextBlock(first..<end, Self.cut(end - first, linesOff: &rest))
        }
    }

    private static func cut(_ count: Int, linesOff texts: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var lines: Int = 0
        let end: Int? = texts.firstIndex { byte in
            if byte == UInt8(ascii: "\n") { lines += 1 }
            return lines == count
        }
        defer { texts = end.map { texts[($0 + 1)...] } ?? [] }
        return texts[..<(end ?? texts.endIndex)]
    }

    /// Those who have all the words.
    struct Walk: Sendable, Equatable {
        /// Newest first, and no more than were asked for.
        var people: [ContactID] = []
        /// How many have the words among those who were looked at, counted up to what the index would name at most.
        var found: Int = 0
        /// How many were looked at; nil when these are all people.
        var looked: Int?
    }

    /// Looks for people with all the words who are older than `before`, until there are enough. Nil when there are not
    /// enough here, and others may have the words too.
    func walk(_ words: [String], before: ContactID?, atMost: Int) -> Walk? {
        let first: Int = before.map(place(behind:)) ?? 0
        // The longest is found least often. No text has a zero in it.
        let words: [String] = words.sorted { $0.utf8.count > $1.utf8.count }
        guard !words.isEmpty, !words[0].utf8.contains(0) else { return nil }
        let enough: Int = isEverybody ? max(atMost, ContactSearchPlan.indexedLimit) : atMost
        var walk = Walk()
        var last: Int = first
        for block in blocks.dropFirst(first / blockSize) {
            block.find(words, from: max(first, block.places.lowerBound)) { place in
                walk.found += 1
                if walk.found <= atMost { walk.people.append(people[place]) }
                last = place
                return walk.found < enough
            }
            if walk.found == enough {
                walk.looked = isEverybody ? nil : last + 1 - first
                return walk
            }
            // The others have them as often, and a third more for luck.
            let (looked, left) = (block.places.upperBound - first, people.count - block.places.upperBound)
            guard isEverybody || walk.found * left * 4 >= (atMost - walk.found) * looked * 3 else { return nil }
        }
        return isEverybody ? walk : nil
    }

    /// The place of the newest person who is older.
    private func place(behind id: ContactID) -> Int {
        var (low, high) = (0, people.count)
        while low < high {
            let middle: Int = (low + high) / 2
            if people[middle] < id { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension NewestTexts {
    private struct Row: PostgresRow {
        let state: ContactTotals.State
        let people: [ContactID]
        let texts: [UInt8]

        static let columns: SQL = "\(ContactTotals.State.columns), w.people, w.texts"

        init(row: inout RowReader) throws {
            state = try ContactTotals.State(row: &row)
            people = try row.next()
            texts = try row.next()
        }
    }

    /// Reads them with their revision in one statement, so that both are of one moment. Nil while an import waits to be
    /// indexed: its people have no texts yet.
    static func load(_ scope: WorkspaceScope, in session: some PostgresSession) async throws -> NewestTexts? {
        let row = try await session.first(
            Row.self, "contacts.search.texts",
            """
            SELECT \(Row.columns)
            FROM marketing_contact_totals t CROSS JOIN LATERAL (
                SELECT coalesce(array_agg(s.contact_id), '{}') AS people,
                    coalesce(convert_to(string_agg(replace(s.text, E'\\n', ' '), E'\\n'), 'UTF8'), '') AS texts
                FROM (
                    SELECT contact_id, text FROM marketing_contact_search
                    WHERE workspace_id = \(scope.workspace) ORDER BY contact_id DESC LIMIT \(capacity)
                ) s
            ) w WHERE t.workspace_id = \(scope.workspace)
            """)
        guard let row, row.state.unindexed == 0 else { return nil }
        return NewestTexts(revision: row.state.revision, people: row.people, texts: row.texts)
    }
}
