import Accounts
import Contacts
import Core
import Web

/// What the JSON face adds to lists for segments.
struct SegmentAPI: Sendable {
    let actions: SegmentActions

    func add(to routes: inout RouteTable) {
        RuleSchema.add(to: &routes)
        routes.api(
            .get, "/v1/lists/{id}/preview-count", .viewer,
            APIOperation(
                id: "previewListCount", tag: "Segments", summary: "Count who matches a segment now",
                details: "For lists kept by hand it is the number of members and a sample of them is not given.",
                response: .ref("SegmentPreview"), problems: [422]), previewStored)
        routes.api(
            .post, "/v1/lists/preview-count", .viewer,
            APIOperation(
                id: "previewRuleCount", tag: "Segments", summary: "Count who matches a rule that is not stored",
                details: "A rule that takes too long is refused with `too_broad`.",
                body: .object([("filterRules", .ref("FilterRules"))], required: ["filterRules"]),
                response: .ref("SegmentPreview")), preview)
        routes.api(
            .post, "/v1/lists/{id}/recalculate", .editor,
            APIOperation(
                id: "recalculateList", tag: "Segments", summary: "Look at everybody again for a segment",
                details: "It happens in the background; the answer does not wait for it.", status: 202,
                response: .object([("status", .string(oneOf: ["queued"]))], required: ["status"]), problems: [409]),
            recalculate)
        routes.api(
            .get, "/v1/lists/{id}/contacts/{contactId}/explanation", .viewer,
            APIOperation(
                id: "explainMembership", tag: "Segments", summary: "Say why a contact is in a segment, or is not",
                response: .ref("Explanation"), problems: [409]), explanation)
    }

    private struct Input: StrictInput {
        static let memberNames: Set<String> = ["filterRules"]
        let filterRules: JSONValue
    }

    private struct PreviewResource: Encodable {
        struct Person: Encodable {
            let id: ContactID
            let email: String?
            let firstName: String?
            let lastName: String?

            private enum CodingKeys: String, CodingKey { case id, email, firstName, lastName }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(id, forKey: .id)
                try container.encode(email, forKey: .email)
                try container.encode(firstName, forKey: .firstName)
                try container.encode(lastName, forKey: .lastName)
            }
        }

        let count: Int
        let description: String
        let sample: [Person]
    }

    private struct ExplanationResource: Encodable {
        let matches: Bool
        let description: String
        let seen: String?
        let path: String
        let conditions: [ExplanationResource]

        init(_ finding: RuleEvaluator.Finding) {
            matches = finding.holds
            description = finding.words
            seen = finding.seen
            path = finding.path
            conditions = finding.parts.map(ExplanationResource.init)
        }
    }

    private struct Queued: Encodable { let status = "queued" }

    private func list(_ request: WebRequest) async throws -> ContactList {
        let scope = try request.scope
        let id: ContactListID = try request.id()
        let list = try await actions.services.database.read(scope.workspace) { transaction in
            try await ContactLists.find(id, scope, in: transaction)
        }
        guard let list else { throw WebError.notFound }
        return list
    }

    private func segment(_ request: WebRequest) async throws -> StoredSegment {
        let list = try await list(request)
        guard let segment = try await actions.find(list.id, try request.scope) else {
            throw WebError.conflict("This list is kept by hand; it has no rule.", code: "list_has_no_rule")
        }
        return segment
    }

    private func previewStored(_ request: WebRequest) async throws -> WebResponse {
        let list = try await list(request)
        guard list.kind == .segment else {
            return try .json(
                PreviewResource(count: list.memberCount, description: "People who were put on the list.", sample: []))
        }
        return try await answer(try await segment(request).rules, request)
    }

    private func preview(_ request: WebRequest) async throws -> WebResponse {
        let input: Input
        do {
            input = try await request.json(Input.self)
        } catch let error as WebError where error.code == "too_deep" {
            throw ValidationErrors("filterRules", "The rule is nested too deep.")
        }
        return try await answer(input.filterRules, request)
    }

    private func answer(_ rules: JSONValue, _ request: WebRequest) async throws -> WebResponse {
        let preview = try await actions.preview(rules, try request.scope)
        return try .json(
            PreviewResource(
                count: preview.count, description: preview.sentence,
                sample: preview.sample.map {
                    .init(id: $0.id, email: $0.email, firstName: $0.firstName, lastName: $0.lastName)
                }))
    }

    private func recalculate(_ request: WebRequest) async throws -> WebResponse {
        let segment = try await segment(request)
        guard try await actions.recalculate(segment.list, try request.scope) else { throw WebError.notFound }
        return try .json(Queued(), status: .accepted)
    }

    private func explanation(_ request: WebRequest) async throws -> WebResponse {
        let contact: ContactID = try request.id("contactId")
        let segment = try await segment(request)
        guard let finding = try await actions.explain(segment.rules, contact, try request.scope) else {
            throw WebError.notFound
        }
        return try .json(ExplanationResource(finding))
    }
}
