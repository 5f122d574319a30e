import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// People as CSV, page by page: constant memory, and no transaction that is open for as long as a slow download takes.
struct ContactExport: Sendable {
    let services: AppServices
    let scope: WorkspaceScope
    let filter: ContactFilter

    private static let batch: Int = 2_000
    private static let heading: [String] = [
        "email", "phone", "first_name", "last_name", "email_status", "tags", "consent_basis", "source", "created_at",
        "updated_at", "company", "company_domain",
    ]

    func write(to writer: BodyWriter) async throws {
        let properties: [String] = try await services.database.read(scope.workspace) { transaction in
            try await ContactVocabulary.properties(scope, in: transaction)
        }
        var bytes: [UInt8] = [0xEF, 0xBB, 0xBF]
        CSVWriter.append(Self.heading + properties, to: &bytes)
        var after: ContactID?
        while true {
            let people: [Contact] = try await self.people(after: after)
            let companies: [CompanyID: Company] = try await self.companies(of: people)
            for person in people {
                let company: Company? = person.companyID.flatMap { companies[$0] }
                CSVWriter.append(Self.cells(person, company, properties), to: &bytes)
            }
            if !bytes.isEmpty { try await writer.write(bytes) }
            bytes.removeAll(keepingCapacity: true)
            guard people.count == Self.batch else { return }
            after = people.last?.id
        }
    }

    private func people(after: ContactID?) async throws -> [Contact] {
        let position: SQL = after.map { " AND c.id > \($0)" } ?? ""
        return try await services.database.read(scope.workspace, timeout: .seconds(60)) { transaction in
            try await transaction.all(
                Contact.self, "contacts.export",
                """
                SELECT \(Contact.columns) FROM marketing_contacts c
                WHERE \(ContactQueries(scope: scope).conditions(filter))\(position) ORDER BY c.id LIMIT \(Self.batch)
                """)
        }
    }

    private func companies(of people: [Contact]) async throws -> [CompanyID: Company] {
        let ids: [CompanyID] = Array(Set(people.compactMap(\.companyID)))
        guard !ids.isEmpty else { return [:] }
        let found: [Company] = try await services.database.read(scope.workspace) { transaction in
            try await transaction.all(
                Company.self, "contacts.export.companies",
                """
                SELECT \(Company.columns) FROM marketing_companies m
                WHERE m.workspace_id = \(scope.workspace) AND m.id = ANY (\(ids)) AND m.deleted_at IS NULL
                """)
        }
        return Dictionary(found.map { ($0.id, $0) }) { first, _ in first }
    }

    static func cells(_ person: Contact, _ company: Company?, _ properties: [String]) -> [String] {
        let fixed: [String] = [
            person.email ?? "", person.phone ?? "", person.firstName ?? "", person.lastName ?? "",
            person.emailStatus.rawValue, person.tags.joined(separator: ", "), person.consentBasis ?? "",
            person.source ?? "", ISO8601.format(person.createdAt), ISO8601.format(person.updatedAt),
            company?.name ?? "", company?.domain ?? "",
        ]
        return fixed + properties.map { PropertyFormat.machine(person.properties[$0]) }
    }
}
