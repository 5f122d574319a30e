import Accounts
import Core
import FoundationEssentials
import Web

/// People's rights as JSON.
struct PrivacyAPI: Sendable {
    let services: AppServices
    let exports: PersonExports
    let erasure: Erasure

    func add(to routes: inout RouteTable) {
        routes.schema("PersonExport", Self.exportSchema)
        routes.schema("Erasure", Self.erasureSchema)
        routes.api(
            .post, "/v1/contacts/{id}/export", .admin,
            APIOperation(
                id: "exportPerson", tag: "Privacy", summary: "Make a file with a contact’s data", status: 202,
                response: .ref("PersonExport")), export)
        routes.api(
            .get, "/v1/privacy/exports/{id}", .admin,
            APIOperation(
                id: "getPersonExport", tag: "Privacy", summary: "How far a file of personal data is",
                response: .ref("PersonExport")), showExport)
        routes.api(
            .post, "/v1/contacts/{id}/erase", .admin,
            APIOperation(
                id: "erasePerson", tag: "Privacy", summary: "Erase a contact for good",
                details: "Asking twice gives the same erasure. A hash of the address stays on the do-not-send list.",
                body: .object([("reason", .string(maxLength: 500))], required: ["reason"]), status: 202,
                response: .ref("Erasure")), erase)
        routes.api(
            .get, "/v1/privacy/erasures/{id}", .admin,
            APIOperation(
                id: "getErasure", tag: "Privacy", summary: "An erasure and its certificate", response: .ref("Erasure")),
            showErasure)
    }

    private func export(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        guard let id = try await exports.request(try request.id(), scope), let made = try await exports.find(id, scope)
        else { throw WebError.notFound }
        return try .json(PersonExportResource(made, link: nil), status: .accepted)
    }

    private func showExport(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        guard let found = try await exports.find(try request.id(), scope) else { throw WebError.notFound }
        return try .json(
            PersonExportResource(found, link: found.status == .done ? exports.link(found.id, scope) : nil))
    }

    private struct Reason: StrictInput {
        static let memberNames: Set<String> = ["reason"]
        let reason: String?
    }

    private func erase(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let reason: String = try await request.json(Reason.self).reason?.trimmed ?? ""
        guard !reason.isEmpty, reason.count <= 500, !reason.utf8.contains(0) else {
            throw ValidationErrors("reason", "Say why, in up to 500 characters, without naming the person.")
        }
        guard let id = try await erasure.request(try request.id(), reason: reason, scope),
            let found = try await erasure.find(id, scope)
        else { throw WebError.notFound }
        return try .json(ErasureResource(found), status: .accepted)
    }

    private func showErasure(_ request: WebRequest) async throws -> WebResponse {
        guard let found = try await erasure.find(try request.id(), try request.scope) else { throw WebError.notFound }
        return try .json(ErasureResource(found))
    }

    private static let exportSchema: APISchema = .object(
        [
            ("id", .id), ("contactId", .id), ("status", .string(oneOf: ["queued", "done", "failed", "expired"])),
            ("bytes", .integer(minimum: 0)), ("sha256", .nullable(.string)), ("downloads", .integer(minimum: 0)),
            ("link", .nullable(.string)), ("createdAt", .dateTime), ("expiresAt", .nullable(.dateTime)),
        ], required: ["id", "contactId", "status", "createdAt"])
    private static let erasureSchema: APISchema = .object(
        [
            ("id", .id), ("contactId", .id), ("status", .string(oneOf: ["queued", "running", "done"])),
            ("reason", .string), ("requestedBy", .nullable(.id)), ("requestedAt", .dateTime),
            ("finishedAt", .nullable(.dateTime)), ("checkedAt", .nullable(.dateTime)),
            ("outcome", .map(of: .integer())),
            (
                "mentions",
                .nullable(
                    .array(
                        of: .object(
                            [("kind", .string), ("name", .string), ("href", .string)],
                            required: ["kind", "name", "href"])))
            ),
        ], required: ["id", "contactId", "status", "reason", "requestedAt"])
}

struct PersonExportResource: Encodable {
    let id: PersonExportID
    let contactId: ContactID
    let status: String
    let bytes: Int
    let sha256: String?
    let downloads: Int
    let link: String?
    let createdAt: Date
    let expiresAt: Date?

    init(_ export: PersonExport, link: String?) {
        id = export.id
        contactId = export.contact
        status = export.status.rawValue
        bytes = export.byteCount
        sha256 = export.sha256
        downloads = export.downloads
        self.link = link
        createdAt = export.createdAt
        expiresAt = export.expiresAt
    }
}

struct ErasureResource: Encodable {
    let id: ErasureID
    let contactId: ContactID
    let status: String
    let reason: String
    let requestedBy: UserID?
    let requestedAt: Date
    let finishedAt: Date?
    let checkedAt: Date?
    let outcome: [String: JSONValue]
    /// What still names the person, to be changed by hand; nil when it is not known.
    let mentions: [ErasureMention]?

    init(_ record: ErasureRecord) {
        id = record.id
        contactId = record.contact
        status = record.status
        reason = record.reason
        requestedBy = record.actor
        requestedAt = record.requestedAt
        finishedAt = record.finishedAt
        checkedAt = record.checkedAt
        outcome = record.counts
        mentions = record.mentions
    }
}
