import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// The pages about companies.
struct CompanyRoutes: Sendable {
    let services: AppServices
    let uses: CompanyUseFinder
    let events: ContactMoment.PeopleSource

    private var actions: CompanyActions { CompanyActions(services: services, uses: uses) }
    private static let peopleShown: Int = 20

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/companies", .viewer, index)
        routes.page(.get, "/companies/new", .editor, new)
        routes.page(.get, "/companies/suggestions", .viewer, suggestions)
        routes.page(.post, "/companies", .editor, create)
        routes.page(.get, "/companies/{id}", .viewer, show)
        routes.page(.get, "/companies/{id}/edit", .editor, edit)
        routes.page(.post, "/companies/{id}", .editor, update)
        routes.page(.get, "/companies/{id}/delete", .editor, confirmDeletion)
        routes.page(.post, "/companies/{id}/delete", .editor, delete)
    }

    // MARK: The list

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let sort = try CompanySort(request.query)
        let paging = try request.pageRequest()
        let query: String? = request.query.optional("q").map { String($0.prefix(200)) }
        let queries = CompanyQueries(scope: scope)
        let (page, total) = try await services.database.read(scope.workspace) { transaction in
            let counts: [Int] = try await transaction.pipeline(queries.count(matching: query))
            let page = try await queries.page(
                matching: query, sort: sort, after: paging.after, limit: paging.limit, in: transaction)
            return (page, counts.first ?? 0)
        }
        let next: String? = page.next.map { CompanyPaths.index(query, sort, cursor: request.cursor(after: $0)) }
        let words: String = NumberWords.counted(total, "company", "companies")
        return .page(
            CompaniesIndexPage(
                companies: page.rows, query: query, sort: sort, sorts: Self.sorts(query, sort), total: total,
                pager: Pager(
                    summary: words, previousHref: paging.after == nil ? nil : CompanyPaths.index(query, sort),
                    nextHref: next)))
    }

    private static func sorts(_ query: String?, _ current: CompanySort) -> [SortLink] {
        let all: [(String, CompanySort, String)] = [
            ("Name", .name, "ascending"), ("People", .people, "descending"), ("Added", .newest, "descending"),
        ]
        return all.map { label, sort, direction in
            SortLink(
                label: label, href: CompanyPaths.index(query, sort), direction: sort == current ? direction : nil)
        }
    }

    /// For comboboxes: the companies whose name or domain has the words.
    private func suggestions(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let companies = try await services.database.read(scope.workspace) { transaction in
            try await CompanyQueries(scope: scope).page(
                matching: request.query.optional("q"), sort: .name, after: nil, limit: SuggestionsPage.limit,
                in: transaction
            ).rows
        }
        let none = Suggestion(value: "", label: "No company")
        let options = companies.map { Suggestion(value: $0.id.description, label: $0.name, detail: $0.domain) }
        return .page(SuggestionsPage(heading: "Companies", options: [none] + options))
    }

    // MARK: Forms

    private func form(_ page: CompanyFormPage, _ request: WebRequest) async throws -> CompanyFormPage {
        let scope = try request.scope
        var page = page
        let (definitions, people) = try await services.database.read(scope.workspace) { transaction in
            try await transaction.last(PropertyQueries(scope: scope).all(.company), WorkspacePeople.all(scope))
        }
        page.definitions = definitions
        page.zone = request.session?.timeZone ?? "UTC"
        page.people = people
        return page
    }

    private func new(_ request: WebRequest) async throws -> WebResponse {
        .page(try await form(CompanyFormPage(), request))
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let values = try await request.form()
        do {
            let outcome = try await actions.create(CompanyInput(form: values), source: "manual", try request.scope)
            return try await answer(outcome, CompanyFormPage(form: values), "was added", request)
        } catch let errors as ValidationErrors {
            let page = try await form(CompanyFormPage(form: values, errors: errors), request)
            return .page(page, status: .unprocessableContent)
        }
    }

    private func company(_ request: WebRequest) async throws -> Company {
        let scope = try request.scope
        let id: CompanyID = try request.id()
        let company = try await services.database.read(scope.workspace) { transaction in
            try await CompanyQueries(scope: scope).find(id, in: transaction)
        }
        guard let company else { throw WebError.notFound }
        return company
    }

    private func edit(_ request: WebRequest) async throws -> WebResponse {
        .page(try await form(CompanyFormPage(company: try await company(request)), request))
    }

    private func update(_ request: WebRequest) async throws -> WebResponse {
        let current = try await company(request)
        let values = try await request.form()
        do {
            let outcome = try await actions.update(
                current.id, CompanyInput(form: values), revision: values.optional("revision"), try request.scope)
            return try await answer(
                outcome, CompanyFormPage(company: current, form: values), "was saved", request)
        } catch let errors as ValidationErrors {
            let page = try await form(CompanyFormPage(company: current, form: values, errors: errors), request)
            return .page(page, status: .unprocessableContent)
        }
    }

    private func answer(
        _ outcome: SavingCompany, _ filled: CompanyFormPage, _ deed: String, _ request: WebRequest
    ) async throws -> WebResponse {
        var page = filled
        switch outcome {
        case .saved(let company):
            return .redirect(to: CompanyPaths.company(company.id), notice: "\(company.name) \(deed).")
        case .domainTaken(let other):
            page.errors = ValidationErrors("domain", "Another company has this domain already.")
            page.takenHref = CompanyPaths.company(other)
            return .page(try await form(page, request), status: .unprocessableContent)
        case .changedMeanwhile(let theirs, let yours):
            page.company = theirs
            page.form = ContactFormPage.typed(filled.form)
            page.hasNewer = true
            page = try await form(page, request)
            let owners: [String: String] = page.people.reduce(into: [:]) { $0["\($1.id)"] = $1.name }
            page.conflicts = ContactFormPage.Conflict.between(
                yours.map { CompanyActions.changes(from: theirs, to: $0) } ?? [:], page.form, page.definitions,
                names: owners)
            return .page(page, status: .conflict)
        case .missing: throw WebError.notFound
        }
    }

    // MARK: One company

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let id: CompanyID = try request.id()
        let after: [String]? = try request.pageRequest().after
        let queries = CompanyQueries(scope: scope)
        let history = CompanyHistory(
            company: id, events: events, scope: scope,
            part: request.query.optional("show").flatMap { CompanyHistory.Part(rawValue: $0) },
            after: after.flatMap { MomentPosition($0) })
        let (found, definitions, staff, people, own, activities, deeds) = try await services.database.read(
            scope.workspace
        ) {
            transaction in
            try await transaction.last(
                Query(Company.self, "contacts.companies.find", queries.select(id)),
                PropertyQueries(scope: scope).all(.company), WorkspacePeople.all(scope),
                Query(
                    ContactSummary.self, "contacts.companies.newestPeople",
                    """
                    SELECT \(ContactSummary.columns) FROM marketing_contacts c
                    WHERE c.workspace_id = \(scope.workspace) AND c.company_id = \(id) AND c.deleted_at IS NULL
                    ORDER BY c.id DESC LIMIT \(Self.peopleShown)
                    """),
                history.own, history.activities, history.deeds)
        }
        guard let company = found.first else { throw WebError.notFound }
        let (moments, next) = history.page(own + activities + deeds)
        let zone: String = request.session?.timeZone ?? "UTC"
        let names: [String: String] = Dictionary(staff.map { ($0.id.description, $0.name) }) { first, _ in first }
        let said: [ContactMoment] = moments.map { $0.said(definitions, zone: zone, names: names) }
        return .page(
            CompanyShowPage(
                company: company, definitions: definitions, zone: zone, people: people,
                owner: staff.first { $0.id == company.ownerID }?.name, moments: said,
                part: history.part, olderCursor: next.map { request.cursor(after: $0) }, isFirst: after == nil))
    }

    private func confirmDeletion(_ request: WebRequest) async throws -> WebResponse {
        let company = try await company(request)
        let scope = try request.scope
        let found: [ListUse] = try await services.database.read(scope.workspace) { transaction in
            try await uses(company, scope, transaction)
        }
        return .page(DeletionPage.of(company, found))
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        let company = try await company(request)
        switch try await actions.delete(company.id, try request.scope) {
        case .done: return .redirect(to: "/companies", notice: "The company “\(company.name)” was deleted.")
        case .missing: throw WebError.notFound
        case .inUse(let uses): return .page(DeletionPage.of(company, uses), status: .conflict)
        }
    }
}
