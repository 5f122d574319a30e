import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// The pages about people.
struct ContactRoutes: Sendable {
    let services: AppServices
    let counts: MatchCountMemory
    let newest: NewestTextsMemory

    private var actions: ContactActions { ContactActions(services: services) }
    private var bulk: ContactBulkActions { ContactBulkActions(services: services) }

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/contacts", .viewer, index)
        routes.page(.get, "/contacts/new", .editor, new)
        routes.page(.post, "/contacts", .editor, create)
        routes.page(.post, "/contacts/find-company", .editor, findCompany)
        routes.page(.post, "/contacts/{id}/find-company", .editor, findCompanyForContact)
        routes.page(.get, "/contacts/export", .viewer, export)
        routes.page(.post, "/contacts/bulk", .editor, applyBulk)
        routes.page(.get, "/contacts/bulk/{id}", .viewer, showBulk)
        routes.page(.get, "/contacts/bulk/{id}/live", .viewer, liveBulk)
        routes.page(.get, "/contacts/suggestions", .viewer, suggestions)
        routes.page(.get, "/contacts/{id}/edit", .editor, edit)
        routes.page(.post, "/contacts/{id}", .editor, update)
        routes.page(.get, "/contacts/{id}/delete", .editor, confirmDeletion)
        routes.page(.post, "/contacts/{id}/delete", .editor, delete)
        routes.page(.get, "/contacts/{id}/restore", .editor, confirmRestoring)
        routes.page(.post, "/contacts/{id}/restore", .editor, restore)
    }

    // MARK: The list

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let filter = try ContactFilter(request.query)
        let sort = try ContactSort(request.query)
        let paging = try request.pageRequest()
        let listing = try await reader(scope).listing(filter, sort: sort, after: paging.after, limit: paging.limit)
        return .page(
            ContactListing(request: request, filter: filter, sort: sort, isFirst: paging.after == nil, listing: listing)
                .indexPage)
    }

    /// For comboboxes: the people who fit `q`, the newest ones without it.
    private func suggestions(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let people = try await services.database.read(scope.workspace) { transaction in
            try await ContactLookup.newest(
                matching: request.query.optional("q"), limit: SuggestionsPage.limit, scope, in: transaction)
        }
        let options = people.map { person in
            Suggestion(
                value: person.id.description, label: person.displayName,
                detail: person.displayName == person.email ? nil : person.email)
        }
        return .page(SuggestionsPage(heading: "People", options: options))
    }

    private func reader(_ scope: WorkspaceScope) -> ContactListReader {
        ContactListReader(database: services.database, counts: counts, newest: newest, scope: scope)
    }

    private func export(_ request: WebRequest) async throws -> WebResponse {
        let export = ContactExport(
            services: services, scope: try request.scope, filter: try ContactFilter(request.query))
        try await services.database.write(export.scope.workspace) { transaction in
            try await services.audit.record(
                "exported contacts", href: "/contacts",
                details: Dictionary(
                    uniqueKeysWithValues: export.filter.pairs.compactMap { name, value in
                        value.map { (name, JSONValue.string($0)) }
                    }), by: export.scope, in: transaction)
        }
        return .stream(contentType: "text/csv; charset=utf-8", fileName: "contacts.csv") { writer in
            try await export.write(to: writer)
        }
    }

    // MARK: Forms

    private func new(_ request: WebRequest) async throws -> WebResponse {
        // From a company's page the person begins there.
        let company: [(String, String)] = request.query.optional("company").map { [("company", $0)] } ?? []
        return .page(try await form(ContactFormPage(form: FormValues(company)), request))
    }

    /// The form with what it offers: the workspace's properties and the person's company.
    private func form(_ page: ContactFormPage, _ request: WebRequest) async throws -> ContactFormPage {
        let scope = try request.scope
        var page = page
        let company: CompanyID? = page.form.optional("company").flatMap { CompanyID($0) } ?? page.contact?.companyID
        let (definitions, companies) = try await services.database.read(scope.workspace) { transaction in
            try await transaction.last(
                PropertyQueries(scope: scope).all(.contact),
                Query(Company.self, "contacts.companies.find", CompanyQueries(scope: scope).select(company)))
        }
        page.definitions = definitions
        page.zone = request.session?.timeZone ?? "UTC"
        page.company = companies.first
        return page
    }

    /// Without script: looks companies up for the words beside the picker, and shows the form again.
    private func findCompany(_ request: WebRequest) async throws -> WebResponse {
        try await findCompany(for: nil, request)
    }

    private func findCompanyForContact(_ request: WebRequest) async throws -> WebResponse {
        try await findCompany(for: try await contact(request), request)
    }

    private func findCompany(for contact: Contact?, _ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let values = try await request.form()
        var page = try await form(ContactFormPage(contact: contact, form: values), request)
        page.found = try await services.database.read(scope.workspace) { transaction in
            try await CompanyQueries(scope: scope).page(
                matching: values.optional("companyQuery"), sort: .name, after: nil, limit: SuggestionsPage.limit,
                in: transaction
            ).rows
        }
        return .page(page)
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let values = try await request.form()
        let scope = try request.scope
        do {
            switch try await actions.create(ContactInput(form: values), source: "manual", scope) {
            case .saved(let contact):
                return .redirect(to: ContactPaths.contact(contact.id), notice: "\(contact.displayName) was added.")
            case .emailTaken(let other): return try await taken(ContactFormPage(form: values), other, request)
            case .emailFormer(let other):
                return try await taken(ContactFormPage(form: values), other, isFormer: true, request)
            case .missing, .changedMeanwhile: throw WebError.notFound
            }
        } catch let errors as ValidationErrors {
            let page = try await form(ContactFormPage(form: values, errors: errors), request)
            return .page(page, status: .unprocessableContent)
        }
    }

    /// Says who has the address, or who had it before a merge and is found by it.
    private func taken(
        _ page: ContactFormPage, _ other: ContactID, isFormer: Bool = false, _ request: WebRequest
    ) async throws -> WebResponse {
        let scope = try request.scope
        let owner: Contact? = try await services.database.read(scope.workspace) { transaction in
            try await ContactQueries(scope: scope).find(other, in: transaction)
        }
        let name: String = owner?.displayName ?? "Another contact"
        var page = page
        page.errors = ValidationErrors(
            "email",
            isFormer
                ? "\(name) had this address before two contacts were merged, and is still found by it."
                : "\(name) has this address already.")
        page.takenHref = ContactPaths.contact(other)
        return .page(try await form(page, request), status: .unprocessableContent)
    }

    private func edit(_ request: WebRequest) async throws -> WebResponse {
        .page(try await form(ContactFormPage(contact: try await contact(request)), request))
    }

    private func contact(_ request: WebRequest) async throws -> Contact {
        let scope = try request.scope
        let id: ContactID = try request.id()
        let contact = try await services.database.read(scope.workspace) { transaction in
            try await ContactQueries(scope: scope).find(id, in: transaction)
        }
        guard let contact else { throw WebError.notFound }
        return contact
    }

    private func update(_ request: WebRequest) async throws -> WebResponse {
        let values = try await request.form()
        let current = try await contact(request)
        var page = ContactFormPage(contact: current, form: values)
        do {
            let outcome = try await actions.update(
                current.id, ContactInput(form: values), revision: values.optional("revision"), try request.scope)
            switch outcome {
            case .saved(let contact):
                return .redirect(to: ContactPaths.contact(contact.id), notice: "\(contact.displayName) was saved.")
            case .emailTaken(let other): return try await taken(page, other, request)
            case .emailFormer(let other): return try await taken(page, other, isFormer: true, request)
            case .changedMeanwhile(let theirs, let yours):
                page.contact = theirs
                page.form = ContactFormPage.typed(values)
                page.hasNewer = true
                page = try await form(page, request)
                page.conflicts = ContactFormPage.Conflict.between(
                    yours.map { ContactActions.changes(from: theirs, to: $0) } ?? [:], page.form, page.definitions)
                return .page(page, status: .conflict)
            case .missing: throw WebError.notFound
            }
        } catch let errors as ValidationErrors {
            page.errors = errors
            return .page(try await form(page, request), status: .unprocessableContent)
        }
    }

    // MARK: One person

    private func confirmDeletion(_ request: WebRequest) async throws -> WebResponse {
        let contact = try await contact(request)
        return .page(
            ContactConfirmPage(
                title: "Delete \(contact.displayName)?",
                message: "The contact leaves all lists and gets no more e-mails. You can bring it back right after.",
                action: "\(ContactPaths.contact(contact.id))/delete", label: "Delete contact",
                backLabel: contact.displayName, backHref: ContactPaths.contact(contact.id)))
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        let contact = try await contact(request)
        try await actions.delete([contact.id], try request.scope)
        return .redirect(
            to: "\(ContactPaths.contact(contact.id))/restore", notice: "\(contact.displayName) was deleted.")
    }

    private func confirmRestoring(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let id: ContactID = try request.id()
        let found: Contact? = try await services.database.read(scope.workspace) { transaction in
            // Whoever was merged into somebody is not deleted: the address leads to them.
            if try await ContactAliases.current(id, scope, in: transaction) != nil { return nil }
            return try await ContactQueries(scope: scope).findAny(id, in: transaction)
        }
        guard let contact = found else { throw WebError.notFound }
        guard contact.deletedAt != nil else { return .redirect(to: ContactPaths.contact(id)) }
        return .page(
            ContactConfirmPage(
                title: "\(contact.displayName) is deleted",
                message: "Bring the contact back, with its lists and history?",
                action: "\(ContactPaths.contact(id))/restore", label: "Undo", backLabel: "Contacts",
                backHref: "/contacts",
                kind: "primary"))
    }

    private func restore(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        switch try await actions.undoDeletion(of: id, try request.scope) {
        case .saved(let contact):
            return .redirect(to: ContactPaths.contact(id), notice: "\(contact.displayName) is back.")
        case .emailTaken(let other):
            return .redirect(
                to: ContactPaths.contact(other),
                alert: "The address belongs to this contact now, so the other stays deleted.")
        case .missing, .changedMeanwhile, .emailFormer: throw WebError.notFound
        }
    }

    // MARK: Many people

    private func applyBulk(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let scope = try request.scope
        let back = ContactPaths.back(form.optional("back"))
        let order: BulkOrder
        do {
            order = try BulkForm.order(form)
        } catch {
            return .redirect(to: back, alert: error.entries.first?.message)
        }
        if BulkForm.needsConfirmation(order), !form.flag("confirmed") {
            return .page(try await BulkForm.confirmation(order, form, back, services, scope))
        }
        switch try await bulk.perform(order, scope) {
        case .done(let count): return .redirect(to: back, notice: order.deed.done(count))
        case .started(let id): return .redirect(to: "/contacts/bulk/\(id)")
        case .noSuchList: throw WebError.notFound
        }
    }

    private func bulkPage(_ request: WebRequest) async throws -> BulkRunPage {
        let id: BulkRunID = try request.id()
        guard let run = try await bulk.find(id, try request.scope) else { throw WebError.notFound }
        return BulkRunPage(
            id: id, title: BulkForm.title(run.order.deed), done: run.done, total: run.total,
            running: run.status != "done")
    }

    private func showBulk(_ request: WebRequest) async throws -> WebResponse {
        let page = try await bulkPage(request)
        if !page.running { return .redirect(to: "/contacts", notice: "Finished: \(CountWords.people(page.done)).") }
        return .page(page)
    }

    private func liveBulk(_ request: WebRequest) async throws -> WebResponse {
        _ = try await bulkPage(request)
        return .live(fragment: "progress") {
            let page = try await bulkPage(request)
            return LivePart(page, isLast: !page.running)
        }
    }
}
