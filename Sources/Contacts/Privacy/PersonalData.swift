import Accounts
import Core
import Cryptography
import FoundationEssentials
import Postgres
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

    /// Reads it all in one transaction, so that it fits together.
    static func read(
        _ contact: ContactID, tables: [PersonalTable], services: AppServices, _ scope: WorkspaceScope
    ) async throws -> PersonalData? {
        let workspace: String = try await services.directory.workspace(scope.workspace)?.publicName ?? ""
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
                    }))
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
    func archive() throws -> [UInt8] {
        let files: [(String, [UInt8])] = [
            ("person.json", try JSONBody.encode(document)),
            ("person.html", Array(PersonalDataHTML(document).text.utf8)),
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

/// The readable form: one page that needs nothing else.
struct PersonalDataHTML {
    let text: String

    init(_ document: PersonalData.Document) {
        var page = """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Personal data</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
            table{border-collapse:collapse;width:100%}td,th{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;
            vertical-align:top;overflow-wrap:anywhere}th{width:14rem}</style></head><body>
            <h1>Your personal data</h1>
            <p>Held by \(Self.escape(document.workspace)). Made on \(ISO8601.format(document.madeAt)).</p><h2>You</h2>
            """
        page += Self.table(document.contact)
        for section in document.sections {
            page += "<h2>\(Self.escape(section.title))</h2>"
            if section.rows.isEmpty { page += "<p>Nothing.</p>" }
            for row in section.rows { page += Self.table(row) + "<p></p>" }
            if !section.isComplete { page += "<p>There is more than fits into this file. Ask for the rest.</p>" }
        }
        text = page + "</body></html>\n"
    }

    private static func table(_ value: JSONValue) -> String {
        guard case .object(let members) = value else { return "<p>\(escape(PropertyFormat.shown(value, nil)))</p>" }
        let rows: [String] = members.keys.sorted().compactMap { (name: String) -> String? in
            guard let member = members[name], member != .null, member != .object([:]), member != .array([]) else {
                return nil
            }
            return "<tr><th>\(escape(name))</th><td>\(escape(PropertyFormat.shown(member, nil)))</td></tr>"
        }
        return "<table>\(rows.joined())</table>"
    }

    static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
