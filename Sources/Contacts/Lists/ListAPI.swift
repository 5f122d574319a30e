import Accounts
import Core
import Web

/// Lists as JSON.
struct ListAPI: Sendable {
    let services: AppServices
    let uses: ListUse.Finder

    private var actions: ListActions { ListActions(services: services, uses: uses) }

    func add(to routes: inout RouteTable) {
        routes.api(
            .get, "/v1/lists", .viewer,
            APIOperation(
                id: "listLists", tag: "Lists", summary: "List lists, newest first", query: APIOperation.paging,
                response: .page(of: .ref("List")), problems: [400]), index)
        routes.api(
            .post, "/v1/lists", .editor,
            APIOperation(
                id: "createList", tag: "Lists", summary: "Create a list", body: ContactSchemas.listInput, status: 201,
                response: .ref("List")), create)
        routes.api(
            .get, "/v1/lists/{id}", .viewer,
            APIOperation(id: "getList", tag: "Lists", summary: "Get a list", response: .ref("List")), show)
        routes.api(
            .put, "/v1/lists/{id}", .editor,
            APIOperation(
                id: "replaceList", tag: "Lists", summary: "Rename or describe a list", body: ContactSchemas.listInput,
                response: .ref("List")), replace)
        routes.api(
            .patch, "/v1/lists/{id}", .editor,
            APIOperation(
                id: "updateList", tag: "Lists", summary: "Change a list", body: ContactSchemas.listInput,
                response: .ref("List")), patch)
        routes.api(
            .delete, "/v1/lists/{id}", .editor,
            APIOperation(
                id: "deleteList", tag: "Lists", summary: "Delete a list",
                details:
                    "Its members stay in the workspace. Refused with `list_in_use` while a campaign that is scheduled or being sent uses it.",
                status: 204, problems: [409]), delete)
        routes.api(
            .get, "/v1/lists/{id}/contacts", .viewer,
            APIOperation(
                id: "listMembers", tag: "Lists", summary: "List a list's members", query: APIOperation.paging,
                response: .page(of: .ref("Contact")), problems: [400]), contacts)
        routes.api(
            .post, "/v1/lists/{id}/members", .editor,
            APIOperation(
                id: "addMembers", tag: "Lists", summary: "Put contacts on a list", body: ContactSchemas.members,
                response: .object([("added", .integer(minimum: 0))], required: ["added"])), addMembers)
        routes.api(
            .delete, "/v1/lists/{id}/members", .editor,
            APIOperation(
                id: "removeMembers", tag: "Lists", summary: "Take contacts off a list", body: ContactSchemas.members,
                response: .object([("removed", .integer(minimum: 0))], required: ["removed"])), removeMembers)
    }

    private struct Input: StrictInput {
        static let memberNames: Set<String> = ["name", "description"]
        let name: String?
        let description: String?
    }

    private struct Members: StrictInput {
        static let memberNames: Set<String> = ["contactIds"]
        let contactIds: [ContactID]
    }

    private struct Added: Encodable { let added: Int }
    private struct Removed: Encodable { let removed: Int }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let paging = try request.pageRequest()
        let page = try await services.database.read(scope.workspace) { transaction in
            try await ListQueries(scope: scope).page(after: paging.after, limit: paging.limit, in: transaction)
        }
        let next: String? = page.next.map { request.cursor(after: $0) }
        return try .json(CursorPage(data: page.rows.map(ListResource.init), nextCursor: next))
    }

    private func find(_ request: WebRequest) async throws -> ContactList {
        let scope = try request.scope
        let id: ContactListID = try request.id()
        let list = try await services.database.read(scope.workspace) { transaction in
            try await ListQueries(scope: scope).find(id, in: transaction)
        }
        guard let list else { throw WebError.notFound }
        return list
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        try .json(ListResource(try await find(request)))
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(Input.self)
        guard let name = input.name else { throw ValidationErrors("name", "This is required.") }
        let form = try ContactListForm(name: name, description: input.description ?? "")
        let list = try await actions.create(form, try request.scope)
        return try .json(ListResource(list), status: .created, headers: [.location: "/v1/lists/\(list.id)"])
    }

    private func replace(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(Input.self)
        guard let name = input.name else { throw ValidationErrors("name", "This is required.") }
        return try await save(try ContactListForm(name: name, description: input.description ?? ""), request)
    }

    private func patch(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(Input.self)
        let old = try await find(request)
        let form = try ContactListForm(name: input.name ?? old.name, description: input.description ?? old.description)
        return try await save(form, request)
    }

    private func save(_ form: ContactListForm, _ request: WebRequest) async throws -> WebResponse {
        guard try await actions.update(try request.id(), form, try request.scope) else { throw WebError.notFound }
        return try await show(request)
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        switch try await actions.delete(try request.id(), try request.scope) {
        case .done: return .empty()
        case .missing: throw WebError.notFound
        case .inUse(let uses): throw WebError.conflict(ListActions.refusal(uses), code: "list_in_use")
        }
    }

    private func contacts(_ request: WebRequest) async throws -> WebResponse {
        let list = try await find(request)
        let scope = try request.scope
        let paging = try request.pageRequest()
        let page: ContactPage<Contact> = try await services.database.read(scope.workspace) { transaction in
            try await ContactQueries(scope: scope).page(
                Contact.self, ContactFilter(list: list.id), sort: .newest, after: paging.after, limit: paging.limit,
                in: transaction)
        }
        let next: String? = page.next.map { request.cursor(after: $0) }
        return try .json(CursorPage(data: page.rows.map(ContactResource.init), nextCursor: next))
    }

    private func members(_ request: WebRequest) async throws -> [ContactID] {
        let ids = try await request.json(Members.self).contactIds
        guard ids.count <= 10_000 else { throw ValidationErrors("contactIds", "At most 10,000 contacts at once.") }
        return ids
    }

    private func addMembers(_ request: WebRequest) async throws -> WebResponse {
        let list = try await find(request)
        return try .json(Added(added: try await actions.add(try await members(request), to: list, try request.scope)))
    }

    private func removeMembers(_ request: WebRequest) async throws -> WebResponse {
        let list = try await find(request)
        let ids = try await members(request)
        return try .json(Removed(removed: try await actions.remove(ids, from: list, try request.scope)))
    }
}
