import Accounts
import Core
import FoundationEssentials
import Logging
import Postgres

/// Words that name a person who is erased, to be looked for in what people wrote for everybody: rules of segments, texts of
/// campaigns and templates. What is found is not changed silently; the certificate leads to it.
package struct PersonMentions: Sendable {
    /// The slices above know where texts are; `Portal` hands this over.
    package typealias Finder =
        @Sendable (_ person: PersonMentions, _ scope: WorkspaceScope, _ transaction: PostgresTransaction) async throws
        ->
        [ListUse]

    /// How many of each kind are told.
    package static let limit: Int = 50

    /// Addresses in lower case, and numbers with `+` and digits alone.
    package let words: [String]

    init(_ people: [Contact]) {
        let found: [String?] = people.flatMap { person in
            [person.email?.lowercased(), person.email.flatMap { try? EmailAddress(parsing: $0).key }, person.phone]
        }
        words = Array(Set(found.compactMap { $0 })).sorted()
    }

    /// Whether a text names the person; a number is found however it is spaced.
    package func isNamed(in text: SQL) -> SQL {
        """
        EXISTS (SELECT FROM unnest(\(words)) AS w WHERE strpos(
            CASE WHEN left(w, 1) = '+' THEN translate(\(text), ' -()./', '') ELSE lower(\(text)) END, w) > 0)
        """
    }

    /// Lists that name the person.
    static func lists(
        _ person: PersonMentions, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        let found: [(ContactListID, String)] = try await transaction.rows(
            as: (ContactListID, String).self, "contacts.privacy.mentions.lists",
            """
            SELECT l.id, l.name FROM marketing_lists l
            WHERE l.workspace_id = \(scope.workspace) AND l.deleted_at IS NULL AND l.kind = 'static'
                AND \(person.isNamed(in: "concat_ws(' ', l.name, l.description)"))
            ORDER BY l.id LIMIT \(limit)
            """)
        return found.map { id, name in
            ListUse(name: name, href: ContactPaths.list(id), status: "List", tone: "info", isBinding: false)
        }
    }
}

/// Something that still names an erased person, as the certificate keeps it: without the address, also where its own name
/// has it.
struct ErasureMention: Sendable, Encodable, Equatable {
    let kind: String
    let name: String
    let href: String

    init(_ use: ListUse, _ person: PersonMentions) {
        let text: String = use.name.lowercased()
        let digits: String = use.name.filter { $0.isNumber || $0 == "+" }
        let tells: Bool = person.words.contains { text.contains($0) || digits.contains($0) }
        kind = use.status
        name = tells ? "The person’s address is in its name" : use.name
        href = use.href
    }

    init?(_ json: JSONValue) {
        guard let kind = json["kind"]?.stringValue, let name = json["name"]?.stringValue,
            let href = json["href"]?.stringValue
        else { return nil }
        self.kind = kind
        self.name = name
        self.href = href
    }

    var json: JSONValue { .object(["kind": .string(kind), "name": .string(name), "href": .string(href)]) }
}

extension Erasure {
    /// Where else the person is named. Looked for before the work and apart from it: when that fails, the erasure goes on,
    /// and the certificate says that it is not known.
    func findMentions(_ id: ErasureID, _ scope: WorkspaceScope) async throws -> JSONValue {
        do {
            return try await services.workerDatabase.read(scope.workspace, timeout: .seconds(60)) { transaction in
                guard let erasure = try await Self.find(id, scope, in: transaction), erasure.status != "done" else {
                    return .array([])
                }
                let people = PersonMentions(try await everybody(erasure.contact, scope, in: transaction))
                guard !people.words.isEmpty else { return .array([]) }
                let found: [ListUse] =
                    try await PersonMentions.lists(people, scope, in: transaction)
                    + mentions(people, scope, transaction)
                return .array(found.map { ErasureMention($0, people).json })
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            services.logger.warning(
                "Texts that name an erased person could not be looked for.",
                metadata: ["erasure": "\(id)", "error": "\(error)"])
            return .null
        }
    }
}

extension ErasureRecord {
    /// What still names the person; nil when that is not known.
    var mentions: [ErasureMention]? {
        guard case .array(let found)? = outcome["mentions"] else { return nil }
        return found.compactMap { ErasureMention($0) }
    }

    /// Rows by table, without what else the outcome tells.
    var counts: [String: JSONValue] { outcome.filter { $0.key != "mentions" } }
}
