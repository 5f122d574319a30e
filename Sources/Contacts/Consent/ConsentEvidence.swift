import Accounts
import Core
import Cryptography
import FoundationEssentials
import Postgres
import Web

/// Reads a person together with what they decided.
struct ConsentReader: Sendable {
    let services: AppServices

    /// - Throws: `WebError.notFound` for a person that is deleted or of another workspace.
    func read(_ id: ContactID, _ scope: WorkspaceScope) async throws -> (Contact, [ConsentRecord]) {
        let found: (Contact, [ConsentRecord])? = try await services.database.read(scope.workspace) { transaction in
            let (people, records) = try await transaction.pipeline(
                Query(Contact.self, "contacts.find", ContactQueries(scope: scope).select(id)),
                Query(
                    ConsentRecord.self, "contacts.consent.history",
                    ConsentQueries.select(of: id, limit: 1_000, scope)))
            return people.first.map { ($0, records) }
        }
        guard let found else { throw WebError.notFound }
        return found
    }

    func evidence(_ id: ContactID, _ scope: WorkspaceScope) async throws -> ConsentEvidence {
        let (contact, records) = try await read(id, scope)
        let workspace: String = try await services.directory.workspace(scope.workspace)?.publicName ?? ""
        return try ConsentEvidence(contact, records, workspace: workspace, at: services.clock.now)
    }
}

/// The proof of one person's consent: everything that was decided, on which words, with hashes, so that somebody who was
/// not there can check it.
struct ConsentEvidence: Sendable {
    /// The pack as JSON, members sorted: what the hash is of.
    let json: [UInt8]
    /// SHA-256 of `json`, in hexadecimal.
    let digest: String
    let content: Content

    struct Content: Encodable, Sendable {
        let format: String
        let workspace: String
        let madeAt: Date
        let contactId: ContactID
        let email: String?
        let phone: String?
        let standing: [String: Bool?]
        let decisions: [Entry]
    }

    struct Entry: Encodable, Sendable {
        let decision: ConsentResource
        /// SHA-256 of the words that were shown; nil where none are known.
        let wordingSha256: String?
        /// SHA-256 of the decision as JSON.
        let sha256: String
    }

    init(_ contact: Contact, _ records: [ConsentRecord], workspace: String, at date: Date) throws {
        var standing: [String: Bool?] = [:]
        for channel in ConsentChannel.allCases {
            standing[channel.rawValue] = .some(ConsentStanding(records, channel).isGranted)
        }
        let entries: [Entry] = try records.map { record in
            let resource = ConsentResource(record)
            return Entry(
                decision: resource, wordingSha256: resource.wording.map { Hexadecimal.encode(SHA256.hash($0)) },
                sha256: Hexadecimal.encode(SHA256.hash(try JSONBody.encode(resource))))
        }
        content = Content(
            format: "consent-evidence/1", workspace: workspace, madeAt: date, contactId: contact.id,
            email: contact.email, phone: contact.phone, standing: standing, decisions: entries)
        json = try JSONBody.encode(content)
        digest = Hexadecimal.encode(SHA256.hash(json))
    }
}
