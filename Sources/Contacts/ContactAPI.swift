import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// People as JSON.
struct ContactAPI: Sendable {
    let services: AppServices

    private var actions: ContactActions { ContactActions(services: services) }

    func add(to routes: inout RouteTable) {
        let filters: [APIOperation.Parameter] = [
            .init("q", .string, "Part of a name, an address or a phone number."), .init("listId", .id, "On this list."),
            .init("status", .string(oneOf: ContactSchemas.statuses), "With this e-mail status."),
            .init("tag", .string, "With this tag."),
            .init("since", .string(format: "date"), "Added since this day (UTC)."),
            .init("companyId", .id, "Of this company."),
            .init("property", .string, "With a value under this property’s name."),
            .init("value", .string, "With this value of the property."),
            .init("inactive", .boolean, "true: only those of whom nothing was heard for a long time."),
            .init("sort", .string(oneOf: ContactSort.allCases.map(\.rawValue)), "newest unless told."),
        ]
        routes.api(
            .get, "/v1/contacts", .viewer,
            APIOperation(
                id: "listContacts", tag: "Contacts", summary: "List contacts", query: filters + APIOperation.paging,
                response: .page(of: .ref("Contact")), problems: [400, 422]), list)
        routes.api(
            .post, "/v1/contacts", .editor,
            APIOperation(
                id: "createContact", tag: "Contacts", summary: "Add a contact", body: .ref("ContactInput"), status: 201,
                response: .ref("Contact"), problems: [409]), create)
        routes.api(
            .get, "/v1/contacts/{id}", .viewer,
            APIOperation(
                id: "getContact", tag: "Contacts", summary: "Get a contact", response: .ref("Contact")), show)
        routes.api(
            .put, "/v1/contacts/{id}", .editor,
            APIOperation(
                id: "replaceContact", tag: "Contacts", summary: "Replace a contact",
                details: "What is left out is cleared. With If-Match only if nobody changed the contact since.",
                body: .ref("ContactInput"), response: .ref("Contact"), problems: [409, 412]), replace)
        routes.api(
            .patch, "/v1/contacts/{id}", .editor,
            APIOperation(
                id: "updateContact", tag: "Contacts", summary: "Change a contact",
                details: "What is left out stays; null clears. Properties are merged one by one.",
                body: .ref("ContactInput"), response: .ref("Contact"), problems: [409, 412]), patch)
        routes.api(
            .delete, "/v1/contacts/{id}", .editor,
            APIOperation(id: "deleteContact", tag: "Contacts", summary: "Delete a contact", status: 204), delete)
    }

    private func list(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let filter = try ContactFilter(request.query)
        let sort = try ContactSort(request.query)
        let paging = try request.pageRequest()
        let page: ContactPage<Contact> = try await services.database.read(scope.workspace) { transaction in
            try await ContactQueries(scope: scope).page(
                Contact.self, filter, sort: sort, after: paging.after, limit: paging.limit, in: transaction)
        }
        let next: String? = page.next.map { request.cursor(after: $0) }
        return try .json(CursorPage(data: page.rows.map(ContactResource.init), nextCursor: next))
    }

    private func answer(_ contact: Contact, status: HTTPResponse.Status = .ok) throws -> WebResponse {
        var headers: HTTPFields = [.eTag: "\"\(contact.revision)\""]
        if status == .created { headers[.location] = "/v1/contacts/\(contact.id)" }
        return try .json(ContactResource(contact), status: status, headers: headers)
    }

    private static func taken(_ other: ContactID) -> WebError {
        .conflict("The contact \(other) has this e-mail address already.", code: "email_taken")
    }

    private static func former(_ other: ContactID) -> WebError {
        .conflict(
            "The contact \(other) had this e-mail address before a merge, and is still found by it.",
            code: "email_taken")
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let input = try ContactInput(json: try await request.json([String: JSONValue].self), isWhole: true)
        switch try await actions.create(input, source: "api", try request.scope) {
        case .saved(let contact): return try answer(contact, status: .created)
        case .emailTaken(let other): throw Self.taken(other)
        case .emailFormer(let other): throw Self.former(other)
        case .missing, .changedMeanwhile: throw WebError.notFound
        }
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let id: ContactID = try request.id()
        let contact = try await services.database.read(scope.workspace) { transaction in
            try await ContactQueries(scope: scope).find(id, in: transaction)
        }
        guard let contact else { throw WebError.notFound }
        return try answer(contact)
    }

    private func replace(_ request: WebRequest) async throws -> WebResponse {
        try await save(request, isWhole: true)
    }

    private func patch(_ request: WebRequest) async throws -> WebResponse {
        try await save(request, isWhole: false)
    }

    private func save(_ request: WebRequest, isWhole: Bool) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let input = try ContactInput(json: try await request.json([String: JSONValue].self), isWhole: isWhole)
        let wanted: String? = request.headers[.ifMatch].flatMap { $0 == "*" ? nil : $0 }
        let revision: String? = wanted.map { $0.filter { $0 != "\"" } }
        switch try await actions.update(id, input, revision: revision, try request.scope) {
        case .saved(let contact): return try answer(contact)
        case .emailTaken(let other): throw Self.taken(other)
        case .emailFormer(let other): throw Self.former(other)
        case .changedMeanwhile(let contact, _):
            var error = WebError.preconditionFailed(
                "The contact has changed since. Read it again and repeat the change.")
            error.headers[.eTag] = "\"\(contact.revision)\""
            throw error
        case .missing: throw WebError.notFound
        }
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let gone = try await actions.delete([id], try request.scope)
        guard !gone.isEmpty else { throw WebError.notFound }
        return .empty()
    }
}
