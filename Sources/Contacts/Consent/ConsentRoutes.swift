import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// The pages about one person's consent.
struct ConsentRoutes: Sendable {
    let services: AppServices

    private var reader: ConsentReader { ConsentReader(services: services) }

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/contacts/{id}/consents", .viewer, history)
        routes.page(.post, "/contacts/{id}/consents", .editor, record)
        routes.page(.get, "/contacts/{id}/consents/evidence", .viewer, evidence)
        routes.page(.get, "/contacts/{id}/consents/evidence.json", .viewer, evidenceFile)
        ConsentAPI(services: services).add(to: &routes)
    }

    private func history(_ request: WebRequest) async throws -> WebResponse {
        let (contact, records) = try await reader.read(try request.id(), try request.scope)
        return .page(ConsentHistoryPage(contact: contact, records: records))
    }

    private func record(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let form = try await request.form()
        let scope = try request.scope
        var errors = ValidationErrors()
        let typed = ConsentForm(
            channel: form.text("channel"), purpose: form.text("purpose"), action: form.text("action"),
            basis: form.text("basis"), wording: form.text("wording"), actor: "staff", source: form.text("source"))
        guard let decision = typed.decision(now: services.clock.now, &errors) else {
            let (contact, records) = try await reader.read(id, scope)
            return .page(
                ConsentHistoryPage(contact: contact, records: records, form: form, errors: errors),
                status: .unprocessableContent)
        }
        switch try await ConsentActions(services: services).record(decision, of: id, scope) {
        case .recorded:
            return .redirect(to: "\(ContactPaths.contact(id))/consents", notice: "The decision is on record.")
        case .missing: throw WebError.notFound
        }
    }

    private func evidence(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let scope = try request.scope
        let (contact, records) = try await reader.read(id, scope)
        let workspace: String = try await services.directory.workspace(scope.workspace)?.publicName ?? ""
        let pack = try ConsentEvidence(contact, records, workspace: workspace, at: services.clock.now)
        return .page(ConsentEvidencePage(evidence: pack, contact: contact, records: records))
    }

    private func evidenceFile(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let pack = try await reader.evidence(id, try request.scope)
        return .bytes(
            pack.json, contentType: "application/json",
            headers: [.contentDisposition: "attachment; filename=\"consent-\(id).json\""])
    }
}
