import Core
import Glibc
import Postgres

/// The search texts of a workspace's newest people as they were at one revision. Words that many people have fill a page
/// from them without asking the database who has them.
struct NewestTexts: Sendable {
    /// Any change of the workspace's people makes another (`ContactTotals`).
    let revision: Int
    /// Whether these are all people of the workspace.
    let isEverybody: Bool
    /// Newest first.
    private let people: [ContactID]
    /// A line for each of them, and a zero at the end.
    private let lines: [CChar]
    /// Where each line begins, and where one more would.
    private let starts: [Int]

    /// So many people of a workspace are kept, in about 70 bytes each.
    static let capacity: Int = 16_384

    init(revision: Int, people: [ContactID], lines: [UInt8], capacity: Int = Self.capacity) {
        self.revision = revision
        self.people = people
        self.lines = lines.map(CChar.init(bitPattern:)) + [0]
        isEverybody = people.count < capacity
        var starts: [Int] = [0]
        starts.reserveCapacity(people.count + 1)
        for (place, byte) in lines.enumerated() where byte == UInt8(ascii: "\n") { starts.append(place + 1) }
        starts.append(lines.count + 1)
        self.starts = starts
    }

    /// Those who have all the words.
    struct Walk: Sendable, Equatable {
        /// Newest first, and no more than were asked for.
        var people: [ContactID] = []
        /// How many have the words among those who were looked at.
        var found: Int = 0
        /// How many were looked at; nil when nobody is left.
        var looked: Int?
    }

    /// Looks for people with all the words who are older than `before`, until there are enough. Nil when there are not
    /// enough here, and others may have the words too.
    func walk(_ words: [String], before: ContactID?, atMost: Int) -> Walk? {
        let first: Int = before.map(place(behind:)) ?? 0
        // The longest is found least often.
        let words: [String] = words.sorted { $0.utf8.count > $1.utf8.count }
        guard let rarest = words.first, !rarest.utf8.contains(0), isEverybody || first < people.count else {
            return nil
        }
        let others: [[UInt8]] = words.dropFirst().map { Array($0.utf8) }
        var walk = Walk()
        var place: Int = first
        lines.withUnsafeBufferPointer { lines in
            while place < people.count, let hit = Self.find(rarest, in: lines, from: starts[place]) {
                place = line(of: hit, from: place)
                let text = UnsafeBufferPointer(rebasing: lines[starts[place]..<(starts[place + 1] - 1)])
                place += 1
                guard others.allSatisfy({ Self.has($0, in: text) }) else { continue }
                walk.found += 1
                if walk.found <= atMost { walk.people.append(people[place - 1]) }
                if walk.found == atMost, !isEverybody { break }
            }
        }
        if isEverybody { return walk }
        walk.looked = place - first
        return walk.found == atMost ? walk : nil
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

    /// The number of the line in which the byte lies.
    private func line(of byte: Int, from first: Int) -> Int {
        var (low, high) = (first, people.count)
        while low + 1 < high {
            let middle: Int = (low + high) / 2
            if starts[middle] <= byte { low = middle } else { high = middle }
        }
        return low
    }

    /// Where the word is found first; the texts end with a zero, as C's strings do.
    private static func find(_ word: String, in texts: UnsafeBufferPointer<CChar>, from start: Int) -> Int? {
        guard let base = texts.baseAddress else { return nil }
        return word.withCString { strstr(base + start, $0) }.map { $0 - UnsafeMutablePointer(mutating: base) }
    }

    private static func has(_ word: [UInt8], in text: UnsafeBufferPointer<CChar>) -> Bool {
        guard let base = text.baseAddress, word.count <= text.count else { return false }
        return (0...(text.count - word.count)).contains { memcmp(base + $0, word, word.count) == 0 }
    }
}

extension NewestTexts {
    private struct Row: PostgresRow {
        let state: ContactTotals.State
        let people: [ContactID]
        let lines: [UInt8]

        static let columns: SQL = "\(ContactTotals.State.columns), w.people, w.lines"

        init(row: inout RowReader) throws {
            state = try ContactTotals.State(row: &row)
            people = try row.next()
            lines = try row.next()
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
                    coalesce(convert_to(string_agg(replace(s.text, E'\\n', ' '), E'\\n'), 'UTF8'), '') AS lines
                FROM (
                    SELECT contact_id, text FROM marketing_contact_search
                    WHERE workspace_id = \(scope.workspace) ORDER BY contact_id DESC LIMIT \(capacity)
                ) s
            ) w WHERE t.workspace_id = \(scope.workspace)
            """)
        guard let row, row.state.unindexed == 0 else { return nil }
        return NewestTexts(revision: row.state.revision, people: row.people, lines: row.lines)
    }
}
