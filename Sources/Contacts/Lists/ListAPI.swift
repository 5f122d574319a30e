import Accounts
import Core
import Cryptography
import Web

/// Lists as JSON.
struct ListAPI: Sendable {
    let services: AppServices
    let uses: ListUse.Finder
    let segments: (any SegmentRules)?

    private var actions: ListActions { ListActions(services: services, uses: uses, segments: segments) }

    func add(to routes: inout RouteTable) {
        routes.api(
            .get, "/v1/lists", .viewer,
            APIOperation(
                id: "listLists", tag: "Lists", summary: "List lists, newest first", query: APIOperation.paging,
                response: .page(of: .ref("List")), problems: [400]), index)
        routes.api(
            .post, "/v1/lists", .editor,
            APIOperation(
                id: "createList", tag: "Lists", summary: "Create a list",
                details: "With `type` segment and `filterRules` it is a segment: its rule decides who is in it.",
                body: ContactSchemas.listInput, status: 201,
                response: .ref("List")), create)
        routes.api(
            .get, "/v1/lists/{id}", .viewer,
            APIOperation(id: "getList", tag: "Lists", summary: "Get a list", response: .ref("List")), show)
        routes.api(
            .put, "/v1/lists/{id}", .editor,
            APIOperation(
                id: "replaceList", tag: "Lists", summary: "Rename or describe a list",
                details: "With If-Match only if nobody changed the list, or the rule of a segment, since.",
                body: ContactSchemas.listInput, response: .ref("List"), problems: [412]), replace)
        routes.api(
            .patch, "/v1/lists/{id}", .editor,
            APIOperation(
                id: "updateList", tag: "Lists", summary: "Change a list",
                details: "With If-Match only if nobody changed the list, or the rule of a segment, since.",
                body: ContactSchemas.listInput, response: .ref("List"), problems: [412]), patch)
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
                id: "addMembers", tag: "Lists", summary: "Put contacts on a list",
                details: "Refused with `list_is_segment` for segments.", body: ContactSchemas.members,
                response: .object([("added", .integer(minimum: 0))], required: ["added"]), problems: [409]), addMembers)
        routes.api(
            .delete, "/v1/lists/{id}/members", .editor,
            APIOperation(
                id: "removeMembers", tag: "Lists", summary: "Take contacts off a list", body: ContactSchemas.members,
                response: .object([("removed", .integer(minimum: 0))], required: ["removed"]), problems: [409]),
            removeMembers)
    }

    private struct Input: StrictInput {
        static let memberNames: Set<String> = ["name", "description", "type", "filterRules"]
        let name: String?
        let description: String?
        let type: String?
        let filterRules: JSONValue?
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
        return try .json(CursorPage(data: try await resources(page.rows, scope), nextCursor: next))
    }

    private func resources(_ lists: [ContactList], _ scope: WorkspaceScope) async throws -> [ListResource] {
        let ids: [ContactListID] = lists.filter { $0.kind == .segment }.map(\.id)
        guard !ids.isEmpty, let segments else { return lists.map { ListResource($0) } }
        let states: [ContactListID: SegmentState] = try await services.database.read(scope.workspace) { transaction in
            try await segments.states(of: ids, scope, in: transaction)
        }
        return lists.map { ListResource($0, states[$0.id]) }
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
        let list = try await find(request)
        let resource = try await resources([list], try request.scope)[0]
        return try .json(resource, headers: [.eTag: "\"\(Self.revision(list, resource))\""])
    }

    /// Names a state of the list: its version, and of segments the rule.
    private static func revision(_ list: ContactList, _ resource: ListResource) throws -> String {
        guard let rules = resource.filterRules else { return "\(list.version)" }
        let hash: [UInt8] = SHA256.hash(try JSONBody.encode(rules))
        return "\(list.version)-\(Hexadecimal.encode(hash.prefix(8)))"
    }

    /// Refuses when the list is not in the state that `If-Match` names.
    /// - Returns: the version that the change has to find; nil when the caller does not care.
    private func expected(_ list: ContactList, _ request: WebRequest) async throws -> Int? {
        guard let wanted = request.headers[.ifMatch], wanted != "*" else { return nil }
        let now: String = try Self.revision(list, try await resources([list], try request.scope)[0])
        if wanted.filter({ $0 != "\"" }) == now { return list.version }
        throw Self.changed(now)
    }

    private static func changed(_ revision: String?) -> WebError {
        var error = WebError.preconditionFailed("The list has changed since. Read it again and repeat the change.")
        if let revision { error.headers[.eTag] = "\"\(revision)\"" }
        return error
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let input = try await input(request)
        let scope = try request.scope
        guard let name = input.name else { throw ValidationErrors("name", "This is required.") }
        let list: ContactList
        switch input.type ?? "static" {
        case "static":
            if input.filterRules != nil { throw Self.misplacedRules }
            let form = try ContactListForm(name: name, description: input.description ?? "")
            list = try await actions.create(form, scope)
        case "segment":
            guard let rules = input.filterRules, let segments else {
                throw ValidationErrors("filterRules", "A segment needs a rule.")
            }
            list = try await segments.create(name: name, description: input.description ?? "", rules: rules, scope)
        default: throw ValidationErrors("type", "This must be static or segment.")
        }
        return try .json(
            try await resources([list], scope)[0], status: .created, headers: [.location: "/v1/lists/\(list.id)"])
    }

    private static let misplacedRules = ValidationErrors("filterRules", "Only lists of type segment have a rule.")

    /// Rules may be nested deeper than any other input; too deep is a flaw of the rule, not of the JSON.
    private func input(_ request: WebRequest) async throws -> Input {
        do {
            return try await request.json(Input.self)
        } catch let error as WebError where error.code == "too_deep" {
            throw ValidationErrors("filterRules", "The rule is nested too deep.")
        }
    }

    private func replace(_ request: WebRequest) async throws -> WebResponse {
        let input = try await input(request)
        guard let name = input.name else { throw ValidationErrors("name", "This is required.") }
        return try await save(
            try ContactListForm(name: name, description: input.description ?? ""), input, try await find(request),
            request)
    }

    private func patch(_ request: WebRequest) async throws -> WebResponse {
        let input = try await input(request)
        let old = try await find(request)
        let form = try ContactListForm(name: input.name ?? old.name, description: input.description ?? old.description)
        return try await save(form, input, old, request)
    }

    private func save(
        _ form: ContactListForm, _ input: Input, _ old: ContactList, _ request: WebRequest
    ) async throws -> WebResponse {
        if let type = input.type, type != old.kind.rawValue {
            throw ValidationErrors("type", "The type of a list cannot be changed.")
        }
        if input.filterRules != nil, old.kind == .static { throw Self.misplacedRules }
        let scope = try request.scope
        let version: Int? = try await expected(old, request)
        if let rules = input.filterRules {
            // Of two who found the same state one comes first; the other must not touch the rule.
            if let version { try await store(ContactListForm(old), old.id, version, scope) }
            try await segments?.change(old.id, rules: rules, scope)
            try await store(form, old.id, version.map { $0 + 1 }, scope)
        } else {
            try await store(form, old.id, version, scope)
        }
        return try await show(request)
    }

    private func store(
        _ form: ContactListForm, _ id: ContactListID, _ version: Int?, _ scope: WorkspaceScope
    ) async throws {
        switch try await actions.update(id, form, version: version, scope) {
        case .saved: return
        case .changedMeanwhile: throw Self.changed(nil)
        case .missing: throw WebError.notFound
        }
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        switch try await actions.delete(try request.id(), try request.scope) {
        case .done: return .empty()
        case .missing: throw WebError.notFound
        case .inUse(let uses): throw WebError.conflict(ListUse.refusal("list", uses), code: "list_in_use")
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
