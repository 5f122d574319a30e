import Accounts
import Core
import Web

/// The pages about lists.
struct ListRoutes: Sendable {
    let services: AppServices
    let uses: ListUse.Finder
    let segments: (any SegmentRules)?

    private var actions: ListActions { ListActions(services: services, uses: uses, segments: segments) }

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/lists", .viewer, index)
        routes.page(.get, "/lists/new", .editor, new)
        routes.page(.post, "/lists", .editor, create)
        routes.page(.get, "/lists/{id}", .viewer, show)
        routes.page(.get, "/lists/{id}/edit", .editor, edit)
        routes.page(.post, "/lists/{id}", .editor, update)
        routes.page(.post, "/lists/{id}/members", .editor, addMembers)
        routes.page(.get, "/lists/{id}/delete", .editor, confirmDeletion)
        routes.page(.post, "/lists/{id}/delete", .editor, delete)
        // Segments are lists; their question stands among the pages of segments.
        routes.page(.get, "/segments/{id}/delete", .editor, confirmDeletion)
        routes.page(.post, "/segments/{id}/delete", .editor, delete)
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let paging = try request.pageRequest()
        let page = try await services.database.read(scope.workspace) { transaction in
            try await ListQueries(scope: scope).byName(after: paging.after, limit: paging.limit, in: transaction)
        }
        let next: String? = page.next.map { "/lists" + PercentEncoding.query([("cursor", request.cursor(after: $0))]) }
        let isAll: Bool = paging.after == nil && next == nil
        let summary: String = isAll ? NumberWords.counted(page.rows.count, "list", "lists") : "Lists by name"
        let pager = Pager(summary: summary, previousHref: paging.after == nil ? nil : "/lists", nextHref: next)
        return .page(ListsIndexPage(lists: page.rows, pager: pager))
    }

    private func new(_ request: WebRequest) async throws -> WebResponse {
        .page(ListFormPage())
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        do {
            let values = try ContactListForm(name: form.text("name"), description: form.text("description"))
            let list = try await actions.create(values, try request.scope)
            return .redirect(to: ContactPaths.list(list.id), notice: "The list “\(list.name)” was created.")
        } catch let errors as ValidationErrors {
            return .page(ListFormPage(form: form, errors: errors), status: .unprocessableContent)
        }
    }

    private func list(_ request: WebRequest) async throws -> ContactList {
        let scope = try request.scope
        let id: ContactListID = try request.id()
        let list = try await services.database.read(scope.workspace) { transaction in
            try await ListQueries(scope: scope).find(id, in: transaction)
        }
        guard let list else { throw WebError.notFound }
        return list
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let list = try await list(request)
        if list.kind == .segment { return .redirect(to: ContactPaths.segment(list.id)) }
        let scope = try request.scope
        let paging = try request.pageRequest()
        let filter = ContactFilter(list: list.id)
        let query = request.query.optional("add")
        let queries = ContactQueries(scope: scope)
        let (page, candidates) = try await services.database.read(scope.workspace) { transaction in
            let page: ContactPage<ContactSummary> = try await queries.page(
                ContactSummary.self, filter, sort: .newest, after: paging.after, limit: paging.limit, in: transaction)
            var candidates: [ContactSummary] = []
            if let query {
                candidates = try await queries.page(
                    ContactSummary.self, ContactFilter(query: query), sort: .newest, after: nil, limit: 20,
                    in: transaction
                ).rows
            }
            return (page, candidates)
        }
        let path: String = ContactPaths.list(list.id)
        let canEdit: Bool = (request.principal?.role ?? .viewer) >= .editor
        let table = ContactTable(
            rows: page.rows.map(ContactTableRow.init), filter: filter,
            sorts: [
                SortLink(label: "Name", href: ContactPaths.index(filter, sort: .name)),
                SortLink(label: "E-mail", href: ContactPaths.index(filter, sort: .email)),
            ], back: path, allLabel: "All \(NumberWords.grouped(list.memberCount)) members", canEdit: canEdit,
            removesFromList: true)
        let next: String? = page.next.map { path + PercentEncoding.query([("cursor", request.cursor(after: $0))]) }
        let members: String = list.memberCount == 1 ? "1 member" : "\(NumberWords.grouped(list.memberCount)) members"
        return .page(
            ListShowPage(
                list: list, table: table,
                pager: Pager(summary: members, previousHref: paging.after == nil ? nil : path, nextHref: next),
                addQuery: query, candidates: candidates))
    }

    private func edit(_ request: WebRequest) async throws -> WebResponse {
        let list = try await list(request)
        if list.kind == .segment { return .redirect(to: "\(ContactPaths.segment(list.id))/edit") }
        return .page(ListFormPage(list: list))
    }

    private func update(_ request: WebRequest) async throws -> WebResponse {
        let list = try await list(request)
        let form = try await request.form()
        do {
            let values = try ContactListForm(name: form.text("name"), description: form.text("description"))
            switch try await actions.update(list.id, values, version: form.integer("version"), try request.scope) {
            case .saved: return .redirect(to: ContactPaths.list(list.id), notice: "The list was saved.")
            case .changedMeanwhile(let theirs):
                return .page(ListFormPage(list: theirs, form: form, hasNewer: true), status: .conflict)
            case .missing: throw WebError.notFound
            }
        } catch let errors as ValidationErrors {
            return .page(ListFormPage(list: list, form: form, errors: errors), status: .unprocessableContent)
        }
    }

    private func addMembers(_ request: WebRequest) async throws -> WebResponse {
        let list = try await list(request)
        let ids: [ContactID] = try await request.form().all("ids").compactMap { ContactID($0) }
        let path: String = ContactPaths.list(list.id)
        if ids.isEmpty { return .redirect(to: path, alert: "Tick the people first.") }
        let count = try await actions.add(ids, to: list, try request.scope)
        return .redirect(to: path, notice: BulkDeed.addToList(list.id).done(count))
    }

    private func confirmDeletion(_ request: WebRequest) async throws -> WebResponse {
        let list = try await list(request)
        let scope = try request.scope
        let page: DeletionPage = .of(list, [])
        if request.path != page.path { return .redirect(to: page.path) }
        let found: [ListUse] = try await services.database.read(scope.workspace) { transaction in
            try await uses(list.id, scope, transaction)
        }
        return .page(DeletionPage.of(list, found))
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        let list = try await list(request)
        switch try await actions.delete(list.id, try request.scope) {
        case .done:
            let noun: String = list.kind == .segment ? "segment" : "list"
            return .redirect(to: "/\(noun)s", notice: "The \(noun) “\(list.name)” was deleted.")
        case .missing: throw WebError.notFound
        case .inUse(let uses): return .page(DeletionPage.of(list, uses), status: .conflict)
        }
    }
}
