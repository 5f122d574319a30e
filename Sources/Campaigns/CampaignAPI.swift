import Accounts
import Core
import FoundationEssentials
import Messaging
import Postgres
import Web

/// The JSON face of campaigns.
struct CampaignAPI: Sendable {
    let services: AppServices
    let actions: CampaignActions
    let reader: CampaignReader

    func add(to routes: inout RouteTable) {
        routes.schema("Campaign", Self.schema)
        routes.schema("CampaignInput", Self.inputSchema)
        routes.schema("CampaignProgress", CampaignProgressOutput.schema)
        routes.api(.get, "/v1/campaigns", .viewer, Self.listOperation, list)
        routes.api(.post, "/v1/campaigns", .editor, body: .bytes(3 << 20), Self.createOperation, create)
        routes.api(.get, "/v1/campaigns/{id}", .viewer, Self.readOperation, read)
        routes.api(.put, "/v1/campaigns/{id}", .editor, body: .bytes(3 << 20), Self.replaceOperation, replace)
        routes.api(.patch, "/v1/campaigns/{id}", .editor, body: .bytes(3 << 20), Self.changeOperation, change)
        routes.api(.delete, "/v1/campaigns/{id}", .editor, Self.deleteOperation, delete)
        routes.api(.post, "/v1/campaigns/{id}/send", .editor, Self.verb("send", "Send a campaign now"), send)
        routes.api(.post, "/v1/campaigns/{id}/pause", .editor, Self.verb("pause", "Pause sending"), pause)
        routes.api(.post, "/v1/campaigns/{id}/resume", .editor, Self.verb("resume", "Go on sending"), resume)
        routes.api(
            .post, "/v1/campaigns/{id}/cancel", .editor, Self.verb("cancel", "End a campaign: nobody else gets it"),
            cancel)
        routes.api(.post, "/v1/campaigns/{id}/schedule", .editor, Self.scheduleOperation, schedule)
        routes.api(.post, "/v1/campaigns/{id}/test", .editor, Self.testOperation, test)
        routes.api(.get, "/v1/campaigns/{id}/review", .viewer, Self.reviewOperation, review)
    }

    // MARK: Reading

    private func list(_ request: WebRequest) async throws -> WebResponse {
        let status: CampaignStatus? = try request.query.optional("status").map { text in
            guard let status = CampaignStatus(rawValue: text) else {
                throw WebError.badRequest("There is no status \(text).", code: "bad_status")
            }
            return status
        }
        let asked: PageRequest = try request.pageRequest()
        let after: (Date, CampaignID)? = asked.after.flatMap { CampaignReader.position($0) }
        let scope = try request.scope
        let query: String? = request.query.optional("q")
        let found = try await services.database.read(scope.workspace) { tx -> [CampaignOutput] in
            let queries = CampaignQueries(scope, tx)
            let page = try await queries.page(status: status, search: query, after: after, limit: asked.limit + 1)
            var full: [CampaignOutput] = []
            let campaigns: [Campaign] = try await queries.all(page.map(\.id))
            let sends = try await SendQueries(workspace: scope.workspace, tx: tx).summaries(
                campaigns.compactMap(\.send))
            for summary in page {
                guard let campaign = campaigns.first(where: { $0.id == summary.id }) else { continue }
                full.append(
                    CampaignOutput(campaign, send: sends.first { $0.id == campaign.send }, now: services.clock.now))
            }
            return full
        }
        let shown: [CampaignOutput] = Array(found.prefix(asked.limit))
        let next: String? =
            found.count > asked.limit
            ? shown.last.map { last in
                let micros = Int64((last.updatedAt.timeIntervalSince1970 * 1_000_000).rounded())
                return request.cursor(after: [String(micros), last.id.description])
            } : nil
        return try .json(CursorPage(data: shown, nextCursor: next))
    }

    private func read(_ request: WebRequest) async throws -> WebResponse {
        let campaign: CampaignOutput = try await output(try request.id(), try request.scope)
        let response: WebResponse = try .json(campaign)
        // The progress of a send moves without the campaign being changed.
        return campaign.progress == nil ? response.lastModified(campaign.updatedAt) : response
    }

    private func output(_ id: CampaignID, _ scope: WorkspaceScope) async throws -> CampaignOutput {
        let found = try await services.database.read(scope.workspace) { tx -> CampaignOutput? in
            guard let campaign = try await CampaignQueries(scope, tx).find(id) else { return nil }
            var summary: SendSummary?
            if let send = campaign.send {
                summary = try await SendQueries(workspace: scope.workspace, tx: tx).summary(send)
            }
            return CampaignOutput(campaign, send: summary, now: services.clock.now)
        }
        guard let found else { throw WebError.notFound }
        return found
    }

    private func review(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        let scope = try request.scope
        let finding = try await services.database.read(scope.workspace, timeout: .seconds(20)) {
            tx
                -> CampaignReview.Finding? in
            guard let campaign = try await CampaignQueries(scope, tx).find(id) else { return nil }
            return try await actions.review.review(campaign, for: .program, scope: scope, in: tx)
        }
        guard let finding else { throw WebError.notFound }
        return try .json(ReviewOutput(finding))
    }

    // MARK: Writing

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(CampaignJSON.self, limit: 3 << 20)
        let content: CampaignContent = input.applied(to: CampaignContent())
        try CampaignRules.check(content, names: .json)
        let campaign: Campaign = try await actions.create(content, by: try request.scope)
        return try .json(
            CampaignOutput(campaign, send: nil, now: services.clock.now), status: .created,
            headers: [.location: "/v1/campaigns/\(campaign.id)"])
    }

    private func replace(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(CampaignJSON.self, limit: 3 << 20)
        _ = try await reader.campaign(try request.id(), try request.scope)
        return try await store(input.applied(to: CampaignContent()), version: input.version, request)
    }

    private func change(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(CampaignJSON.self, limit: 3 << 20)
        let campaign: Campaign = try await reader.campaign(try request.id(), try request.scope)
        return try await store(input.applied(to: campaign.content), version: input.version ?? campaign.version, request)
    }

    private func store(_ content: CampaignContent, version: Int?, _ request: WebRequest) async throws -> WebResponse {
        try CampaignRules.check(content, names: .json)
        let id: CampaignID = try request.id()
        return try await answer(try await actions.save(id, content, version: version, by: try request.scope), request)
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        let outcome: CampaignOutcome = try await actions.delete(try request.id(), by: try request.scope)
        guard case .done = outcome else { return try await answer(outcome, request) }
        return .empty()
    }

    // MARK: Sending

    private func send(_ request: WebRequest) async throws -> WebResponse {
        try await answer(
            try await actions.launch(try request.id(), for: .program, by: try request.scope), request, status: .accepted
        )
    }

    private func pause(_ request: WebRequest) async throws -> WebResponse {
        try await answer(try await actions.pause(try request.id(), by: try request.scope), request, status: .accepted)
    }

    private func resume(_ request: WebRequest) async throws -> WebResponse {
        try await answer(try await actions.resume(try request.id(), by: try request.scope), request, status: .accepted)
    }

    private func cancel(_ request: WebRequest) async throws -> WebResponse {
        try await answer(try await actions.cancel(try request.id(), by: try request.scope), request, status: .accepted)
    }

    private struct ScheduleInput: Decodable {
        let sendAt: Date?
    }

    private func schedule(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(ScheduleInput.self)
        let id: CampaignID = try request.id()
        guard let date = input.sendAt else {
            return try await answer(try await actions.unschedule(id, by: try request.scope), request)
        }
        guard date > services.clock.now else { throw ValidationErrors("sendAt", "Choose a time in the future.") }
        return try await answer(try await actions.schedule(id, at: date, for: .program, by: try request.scope), request)
    }

    private struct TestInput: Decodable {
        let to: String
        let contactId: ContactID?
    }

    private func test(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(TestInput.self)
        if let contact = input.contactId, try await !reader.knows(contact, try request.scope) {
            throw ValidationErrors("contactId", "There is no such contact.")
        }
        do {
            let report: TestReport = try await reader.sendTest(
                try request.id(), to: input.to, contact: input.contactId, try request.scope)
            return try .json(TestReportOutput(report))
        } catch let problem as CampaignReader.Problem {
            throw WebError(.unprocessableContent, code: "campaign_not_ready", detail: problem.message)
        }
    }

    private func answer(
        _ outcome: CampaignOutcome, _ request: WebRequest, status: HTTPResponse.Status = .ok
    ) async throws -> WebResponse {
        switch outcome {
        case .done(let campaign):
            return try .json(try await output(campaign.id, try request.scope), status: status)
        case .missing: throw WebError.notFound
        case .refused(let reason): throw WebError.conflict(reason, code: "campaign_state")
        case .conflict(let theirs):
            throw WebError.conflict(
                "Somebody else changed this campaign; its version is \(theirs.version) now.", code: "version_conflict")
        case .notReady(let checks):
            var errors = ValidationErrors()
            for check in checks {
                errors.add(check.code, check.detail.isEmpty ? check.title : "\(check.title). \(check.detail)")
            }
            throw errors
        }
    }
}
