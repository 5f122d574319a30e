import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import Tracking
import Web

/// What host products call: their account, and batches of contacts, companies and events.
struct ServiceAPI: Sendable {
    let services: AppServices
    let tenants: TenantDirectory
    let intake: SyncIntake
    let events: ServiceEvents

    /// A thousand records with properties.
    private static let body: BodyLimit = .bytes(16 << 20)

    func add(to routes: inout RouteTable) {
        routes.schema("SyncResult", Self.resultSchema)
        routes.service(
            .get, "/v1/service/account", .viewer,
            APIOperation(
                id: "getServiceAccount", tag: "Service", summary: "The workspace that you speak for",
                details: "The first call for a tenant makes its workspace.", response: Self.accountSchema), account)
        routes.service(
            .post, "/v1/service/contacts/sync", .editor, body: Self.body,
            APIOperation(
                id: "syncContacts", tag: "Service", summary: "Bring contacts into step",
                details: Self.details, body: Self.contactsSchema, response: .ref("SyncResult"), problems: [503]),
            contacts)
        routes.service(
            .post, "/v1/service/companies/sync", .editor, body: Self.body,
            APIOperation(
                id: "syncCompanies", tag: "Service", summary: "Bring companies into step",
                details: Self.details, body: Self.companiesSchema, response: .ref("SyncResult"), problems: [503]),
            companies)
        routes.service(
            .post, "/v1/service/events", .editor, body: ActivityAPI.body,
            ActivityAPI.operation(id: "recordServiceEvents", tag: "Service"), record)
    }

    private static let details: String = """
        Up to 1,000 records. A record is named by sourceType and sourceId: sending it again changes nothing, and one that is \
        older than what is known (updatedAt) is passed over as stale. What is left out stays, null clears. Each row has its \
        own result; failed rows are kept in the sync log.
        """

    private struct Account: Encodable {
        let id: WorkspaceID
        let name: String
        let timeZone: String
        let connectorType: String
        let externalTenantId: String?
        let contactCount: Int
    }

    private func account(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        guard let workspace = try await services.directory.workspace(scope.workspace) else { throw WebError.notFound }
        let count: Int = try await services.database.read(scope.workspace) { transaction in
            try await ContactTotals.count(scope, in: transaction)
        }
        return try .json(
            Account(
                id: workspace.id, name: workspace.name, timeZone: workspace.timeZone,
                connectorType: TenantDirectory.connectorType,
                externalTenantId: try await tenants.tenant(of: scope.workspace), contactCount: count))
    }

    private func contacts(_ request: WebRequest) async throws -> WebResponse {
        let body: JSONValue = try await request.jsonTree(limit: 16 << 20)
        let (rows, type) = try SyncIntake.rows(in: body, named: "contacts")
        let answer = try await intake.contacts(
            rows, defaultType: type, caller: try request.member.name, try request.scope)
        return try .json(answer)
    }

    private func companies(_ request: WebRequest) async throws -> WebResponse {
        let body: JSONValue = try await request.jsonTree(limit: 16 << 20)
        let (rows, type) = try SyncIntake.rows(in: body, named: "companies")
        let answer = try await intake.companies(
            rows, defaultType: type, caller: try request.member.name, try request.scope)
        return try .json(answer)
    }

    private func record(_ request: WebRequest) async throws -> WebResponse {
        try await events.record(
            try await request.jsonTree(limit: 10 << 20), caller: try request.member.name, try request.scope
        ).result.response
    }

    // MARK: What the documentation says

    private static let accountSchema: APISchema = .object(
        [
            ("id", .id), ("name", .string), ("timeZone", .string), ("connectorType", .string),
            ("externalTenantId", .nullable(.string)), ("contactCount", .integer),
        ], required: ["id", "name", "timeZone", "connectorType", "contactCount"])

    private static let key: [(String, APISchema)] = [
        ("sourceType", .string(maxLength: 100)), ("sourceId", .string(maxLength: 200)), ("updatedAt", .dateTime),
        ("deleted", .boolean),
    ]

    private static let consentSchema: APISchema = .object(
        [
            ("channel", .string(oneOf: ["email", "sms", "tracking", "profiling"])), ("granted", .boolean),
            ("purpose", .string), ("at", .dateTime), ("basis", .string), ("wording", .string),
        ], required: ["channel", "granted"])

    private static let contactsSchema: APISchema = .object(
        [
            ("sourceType", .string(maxLength: 100)),
            (
                "contacts",
                .array(
                    of: .object(
                        key + [
                            ("email", .nullable(.email)), ("phone", .nullable(.string)),
                            ("firstName", .nullable(.string)), ("lastName", .nullable(.string)),
                            ("userId", .string(maxLength: 200)), ("properties", .map(of: .any)),
                            ("tags", .array(of: .string(maxLength: 60), maxItems: 100)),
                            ("companySourceType", .string), ("companySourceId", .nullable(.string)),
                            ("consent", .array(of: consentSchema, maxItems: 20)),
                        ], required: ["sourceId"]), maxItems: SyncIntake.limit)
            ),
        ], required: ["contacts"])

    private static let companiesSchema: APISchema = .object(
        [
            ("sourceType", .string(maxLength: 100)),
            (
                "companies",
                .array(
                    of: .object(
                        key + [
                            ("name", .string(maxLength: 200)), ("domain", .nullable(.string)),
                            ("phone", .nullable(.string)), ("website", .nullable(.string)),
                            ("properties", .map(of: .any)),
                        ], required: ["sourceId"]), maxItems: SyncIntake.limit)
            ),
        ], required: ["companies"])

    private static let resultSchema: APISchema = .object(
        [
            ("syncId", .id), ("received", .integer), ("created", .integer), ("updated", .integer),
            ("unchanged", .integer), ("stale", .integer), ("deleted", .integer), ("failed", .integer),
            (
                "results",
                .array(
                    of: .object(
                        [
                            ("index", .integer), ("sourceType", .string), ("sourceId", .string),
                            ("status", .string(oneOf: SyncOutcome.Status.allCases.map(\.rawValue))), ("id", .id),
                            ("matchedBy", .string(oneOf: IdentifierKind.allCases.map(\.rawValue))),
                            ("conflicts", .array(of: .id)), ("reason", .string),
                        ], required: ["index", "status"]))
            ),
        ],
        required: [
            "syncId", "received", "created", "updated", "unchanged", "stale", "deleted", "failed", "results",
        ])
}
