import Accounts
import Core
import Cryptography
import FoundationEssentials
import Postgres
import Templates
import Web

/// Everything the portal holds about one person, as a file for that person: JSON with a stable form, the same to read, and a
/// manifest with their hashes.
struct PersonalData: Sendable {
    /// Rows of one table that go into a file at most; beyond it the file says that there are more.
    static let limit: Int = 50_000

    struct Section: Encodable, Sendable {
        let table: String
        let title: String
        let rows: [JSONValue]
        let isComplete: Bool
    }

    struct Left: Encodable, Sendable {
        let table: String
        let title: String
        let why: String
    }

    struct Document: Encodable, Sendable {
        let format: String
        let workspace: String
        let madeAt: Date
        let contactId: ContactID
        let contact: JSONValue
        let standing: [String: Bool?]
        let sections: [Section]
        let left: [Left]
    }

    let document: Document
    /// How the readable form says it.
    let words: PersonalDataWords

    /// Reads it all in one transaction, so that it fits together.
    static func read(
        _ contact: ContactID, tables: [PersonalTable], services: AppServices, _ scope: WorkspaceScope
    ) async throws -> PersonalData? {
        let home: Workspace? = try await services.directory.workspace(scope.workspace)
        let workspace: String = home?.publicName ?? ""
        return try await services.workerDatabase.read(scope.workspace, timeout: .seconds(60)) { transaction in
            let person: JSONValue? = try await transaction.value(
                JSONValue?.self, "contacts.privacy.person",
                """
                SELECT to_jsonb(c) - 'workspace_id' FROM marketing_contacts c
                WHERE c.workspace_id = \(scope.workspace) AND c.id = \(contact)
                """)
            guard let person else { return nil }
            let about = PersonalTable.Person(
                workspace: scope.workspace, contact: contact, replacement: contact, emailKey: nil, phone: nil,
                spellings: [])
            var sections: [Section] = []
            for table in tables {
                guard let select = table.rows else { continue }
                let rows: [JSONValue] = try await transaction.values(
                    JSONValue.self, "contacts.privacy.rows", select(about, limit + 1))
                sections.append(
                    Section(
                        table: table.name, title: table.title, rows: Array(rows.prefix(limit)),
                        isComplete: rows.count <= limit))
            }
            let consents = try await ConsentQueries.history(of: contact, scope, in: transaction)
            let words = try await PersonalDataWords.load(
                for: sections, person, zone: home?.timeZone ?? "UTC", scope, in: transaction)
            return PersonalData(
                document: Document(
                    format: "person-export/1", workspace: workspace, madeAt: services.clock.now, contactId: contact,
                    contact: person,
                    standing: Dictionary(
                        uniqueKeysWithValues: ConsentChannel.allCases.map {
                            ($0.rawValue, ConsentStanding(consents, $0).isGranted)
                        }),
                    sections: sections,
                    left: tables.filter { $0.rows == nil }.map {
                        Left(
                            table: $0.name, title: $0.title, why: "It only repeats what stands elsewhere in this file.")
                    }), words: words)
        }
    }

    private struct Manifest: Encodable {
        struct File: Encodable {
            let name: String
            let bytes: Int
            let sha256: String
        }
        let format: String
        let madeAt: Date
        let files: [File]
        let tables: [String]
    }

    /// The archive: `person.json`, `person.html`, `manifest.json`.
    /// - Parameter views: the views of this moment, for the readable form.
    func archive(_ views: ViewLibrary) throws -> [UInt8] {
        var chrome = Chrome.empty
        chrome.timeZone = words.zone
        let page: [UInt8] = try views.render(PersonalDataPage(document, words), chrome: chrome)
        let files: [(String, [UInt8])] = [
            ("person.json", try JSONBody.encode(document)),
            ("person.html", page),
        ]
        let manifest = Manifest(
            format: "person-export-manifest/1", madeAt: document.madeAt,
            files: files.map { name, bytes in
                Manifest.File(name: name, bytes: bytes.count, sha256: Hexadecimal.encode(SHA256.hash(bytes)))
            },
            tables: document.sections.map(\.table) + document.left.map(\.table))
        var archive = ZipArchive()
        for (name, bytes) in files { archive.add(name, bytes) }
        archive.add("manifest.json", try JSONBody.encode(manifest))
        return archive.finished()
    }
}
