import Accounts
import Core
import FoundationEssentials
import Jobs
import Postgres
import Web

/// Finding duplicates, making two people one, taking it back: pages and JSON.
struct MergeRoutes: Sendable {
    let services: AppServices
    let merging: ContactMerging

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/contacts/duplicates", .viewer, duplicates)
        routes.page(.post, "/contacts/duplicates/find", .editor, search)
        routes.page(.post, "/contacts/duplicates/dismiss", .editor, dismiss)
        routes.page(.get, "/contacts/{id}/merge", .editor, pick)
        routes.page(.get, "/contacts/{id}/merge/{otherId}", .editor, compare)
        routes.page(.post, "/contacts/{id}/merge/{otherId}", .editor, merge)
        routes.page(.get, "/contacts/merges/{id}", .editor, show)
        routes.page(.post, "/contacts/merges/{id}/undo", .editor, undo)
        routes.api(
            .post, "/v1/contacts/{id}/merge", .editor,
            APIOperation(
                id: "mergeContacts", tag: "Contacts", summary: "Make another contact part of this one",
                details: """
                    Everything of the loser belongs to this contact afterwards, and the loser's id answers with it. Fields keep \
                    this contact's values where it has any; name those that take the loser's in `fromLoser` (email, phone, \
                    firstName, lastName, company, properties.<name>). Of consents the stricter one wins. \
                    409 `being_sent` while an e-mail that both are to get is going out to one of them.
                    """,
                body: .object(
                    [("loserId", .id), ("fromLoser", .array(of: .string, maxItems: 500))], required: ["loserId"]),
                response: .object(
                    [("mergeId", .id), ("contactId", .id)], required: ["mergeId", "contactId"]),
                problems: [409]), mergeAPI)
        routes.api(
            .post, "/v1/merges/{id}/undo", .editor,
            APIOperation(
                id: "undoMerge", tag: "Contacts", summary: "Take a merge back",
                details: "Says in `notes` what could not be restored; 409 when something stands in the way.",
                response: .object(
                    [("contactId", .id), ("notes", .array(of: .string))], required: ["contactId", "notes"]),
                problems: [409]), undoAPI)
    }

    // MARK: Suggestions

    private func duplicates(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let paging = try request.pageRequest()
        let found = try await services.database.read(scope.workspace) { transaction in
            try await DuplicateQueries(services: services, scope: scope).page(
                after: paging.after, limit: paging.limit + 1, in: transaction)
        }
        let shown = found.prefix(paging.limit)
        var next: String?
        if found.count > paging.limit, let last = shown.last {
            let cursor: String = request.cursor(after: ["\(last.score)", "\(last.first.id)", "\(last.second.id)"])
            next = "/contacts/duplicates" + PercentEncoding.query([("cursor", cursor)])
        }
        let pager = Pager(
            summary: shown.isEmpty ? "Nobody" : "The surest first",
            previousHref: paging.after == nil ? nil : "/contacts/duplicates", nextHref: next)
        return .page(DuplicatesPage(rows: shown.map(DuplicateRow.init), pager: pager))
    }

    private func search(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        try await services.database.write(scope.workspace) { transaction in
            try await services.jobs.enqueue(
                FindDuplicatesJob(), workspace: scope.workspace, key: "\(scope.workspace)", in: transaction)
        }
        return .redirect(
            to: "/contacts/duplicates", notice: "Everybody is being looked at. Reload the page in a moment.")
    }

    private func dismiss(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        guard let one = ContactID(form.text("first")), let other = ContactID(form.text("second")),
            try await DuplicateQueries(services: services, scope: try request.scope).dismiss(one, other)
        else { throw WebError.notFound }
        return .redirect(to: "/contacts/duplicates", notice: "They are two people, and are not suggested again.")
    }

    // MARK: Merging

    private static let busy =
        "An e-mail that both are to get is going out to one of them right now. Try again in a minute."

    /// Finds the other one; without a script by a button.
    private func pick(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let id: ContactID = try request.id()
        let chosen: ContactID? = request.query.optional("other").flatMap { ContactID($0) }
        if request.query.optional("go") != nil, let chosen, chosen != id {
            return .redirect(to: MergePaths.compare(id, chosen))
        }
        let query: String? = request.query.optional("otherQuery")
        let page: MergePickPage? = try await services.database.read(scope.workspace) { transaction in
            guard let contact = try await ContactLookup.contact(id, scope, in: transaction) else { return nil }
            let found = try await ContactLookup.newest(
                matching: query ?? contact.lastName ?? contact.firstName, limit: 20, scope, in: transaction)
            let options: [SelectOption] = found.filter { $0.id != id }.map { person in
                SelectOption(
                    value: "\(person.id)", label: person.nameAndAddress, selected: person.id == chosen)
            }
            return MergePickPage(contact: id, name: contact.displayName, query: query ?? "", options: options)
        }
        guard let page else { throw WebError.notFound }
        return .page(page)
    }

    private func compare(_ request: WebRequest) async throws -> WebResponse {
        let (one, other): (ContactID, ContactID) = (try request.id(), try request.id("otherId"))
        guard let page = try await comparison(one, other, try request.scope) else { throw WebError.notFound }
        return .page(page)
    }

    private func comparison(
        _ one: ContactID, _ other: ContactID, _ scope: WorkspaceScope
    ) async throws -> MergeComparePage? {
        try await services.database.read(scope.workspace) { transaction in
            guard
                let (first, second) = try await merging.pair(one, other, locks: false, scope, in: transaction)
            else { return nil }
            var page = MergeComparePage(
                firstID: "\(one)", secondID: "\(other)", first: first.fields, second: second.fields)
            page.companies = try await companies([first, second], scope, in: transaction)
            page.definitions = try await transaction.pipeline(PropertyQueries(scope: scope).all(.contact))
            page.zone = try await services.directory.workspace(scope.workspace)?.timeZone ?? "UTC"
            return page
        }
    }

    private func companies(
        _ people: [ContactMerging.Person], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [UUID: String] {
        let ids: [UUID] = people.compactMap(\.fields.company)
        guard !ids.isEmpty else { return [:] }
        let rows = try await transaction.rows(
            as: (UUID, String).self, "contacts.merge.companies",
            "SELECT id, name FROM marketing_companies WHERE workspace_id = \(scope.workspace) AND id = ANY (\(ids))")
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// The form names who stays, and for each field whose value is taken.
    private func merge(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let (one, other): (ContactID, ContactID) = (try request.id(), try request.id("otherId"))
        let keepsSecond: Bool = form.text("keep") == "second"
        let (winner, loser): (ContactID, ContactID) = keepsSecond ? (other, one) : (one, other)
        let wanted: String = keepsSecond ? "first" : "second"
        var choices = MergeChoices()
        for name in form.names where name.hasPrefix("field:") && form.text(name) == wanted {
            choices.fromLoser.insert(String(name.dropFirst(6)))
        }
        switch try await merging.merge(winner, loser, choices: choices, try request.scope) {
        case .merged(let id):
            return .redirect(to: MergePaths.merge(id), notice: "The two are one contact now.")
        case .missing: throw WebError.notFound
        case .busy:
            guard var page = try await comparison(one, other, try request.scope) else { throw WebError.notFound }
            page.keepsSecond = keepsSecond
            page.takesSecond = Set(
                form.names.filter { $0.hasPrefix("field:") && form.text($0) == "second" }.map {
                    String($0.dropFirst(6))
                })
            page.problem = Self.busy
            return .page(page, status: .conflict)
        }
    }

    private func mergeAPI(_ request: WebRequest) async throws -> WebResponse {
        struct Input: StrictInput {
            let loserId: ContactID
            let fromLoser: [String]?
            static let memberNames: Set<String> = ["loserId", "fromLoser"]
        }
        struct Answer: Encodable {
            let mergeId: MergeID
            let contactId: ContactID
        }
        let id: ContactID = try request.id()
        let input = try await request.json(Input.self)
        let fields: [String] = input.fromLoser ?? []
        for field in fields where !MergeChoices.fields.contains(field) && !field.hasPrefix("properties.") {
            throw ValidationErrors("fromLoser", "There is no field “\(field.prefix(60))” to choose.")
        }
        if input.loserId == id { throw ValidationErrors("loserId", "This is the same contact.") }
        switch try await merging.merge(
            id, input.loserId, choices: MergeChoices(fromLoser: Set(fields)), try request.scope)
        {
        case .merged(let merge): return try .json(Answer(mergeId: merge, contactId: id))
        case .missing: throw WebError.notFound
        case .busy: throw WebError(.conflict, code: "being_sent", detail: Self.busy)
        }
    }

    // MARK: Taking it back

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let id: MergeID = try request.id()
        let page: MergeShowPage? = try await services.database.read(scope.workspace) { transaction in
            guard let noted = try await merging.find(id, locks: false, scope, in: transaction) else { return nil }
            let prospect = try await merging.prospect(of: noted, scope, in: transaction)
            let current = try await ContactAliases.current(noted.winner, scope, in: transaction) ?? noted.winner
            return MergeShowPage(
                id: "\(id)", winnerID: "\(current)", winner: noted.after.title, loser: prospect.loserName,
                mergedAt: noted.mergedAt, obstacle: prospect.obstacle, notes: prospect.notes)
        }
        guard let page else { throw WebError.notFound }
        return .page(page)
    }

    private func undo(_ request: WebRequest) async throws -> WebResponse {
        let id: MergeID = try request.id()
        switch try await merging.undo(id, try request.scope) {
        case .undone(let contact, let notes):
            let notice: String = (["They are two contacts again."] + notes).joined(separator: " ")
            return .redirect(to: ContactPaths.contact(contact), notice: notice)
        case .blocked(let reason): return .redirect(to: MergePaths.merge(id), alert: reason)
        case .missing: throw WebError.notFound
        }
    }

    private func undoAPI(_ request: WebRequest) async throws -> WebResponse {
        struct Answer: Encodable {
            let contactId: ContactID
            let notes: [String]
        }
        switch try await merging.undo(try request.id(), try request.scope) {
        case .undone(let contact, let notes): return try .json(Answer(contactId: contact, notes: notes))
        case .blocked(let reason): throw WebError.conflict(reason, code: "merge_not_undoable")
        case .missing: throw WebError.notFound
        }
    }
}
