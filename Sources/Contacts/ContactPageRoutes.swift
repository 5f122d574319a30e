import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// The page about one person, and what is done on it: properties edited in place, notes, tasks, lists.
struct ContactPageRoutes: Sendable {
    let services: AppServices
    let messages: ContactMoment.Source
    let events: ContactMoment.Source

    private var actions: ContactActions { ContactActions(services: services) }

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/contacts/{id}", .viewer, show)
        routes.page(.post, "/contacts/{id}/lists", .editor, addToList)
        routes.page(.post, "/contacts/{id}/properties", .editor, updateProperties)
        routes.page(.post, "/contacts/{id}/notes", .editor, addNote)
        routes.page(.post, "/contacts/{id}/notes/{noteId}", .editor, changeNote)
        routes.page(.post, "/contacts/{id}/tasks", .editor, addTask)
        routes.page(.post, "/contacts/{id}/tasks/{taskId}", .editor, changeTask)
    }

    // MARK: Showing

    private func show(_ request: WebRequest) async throws -> WebResponse {
        .page(try await page(try request.id(), request))
    }

    /// Everything in one round trip, from BEGIN to COMMIT.
    private func page(
        _ id: ContactID, _ request: WebRequest, edit: ContactShowPage.Edit? = nil
    ) async throws -> ContactShowPage {
        let scope = try request.scope
        let filter = try ContactHistoryFilter(request.query)
        let cursor: [String]? = try request.pageRequest().after
        let history = ContactHistory(
            messages: messages, events: events, scope: scope, kind: filter.kind, after: filter.place(cursor),
            from: filter.fromDate)
        let (
            found, companies, all, own, records, sent, happened, origin, imports, definitions, notes, tasks, people,
            consents
        ) = try await services.database.read(scope.workspace, keepsPlans: true) { transaction in
            try await transaction.last(
                Query(Contact.self, "contacts.find", ContactQueries(scope: scope).select(id)),
                CompanyQueries(scope: scope).ofContact(id),
                ContactMembership.fillable(scope),
                ContactMembership.all(of: id, scope),
                history.records(of: id), history.messages(of: id), history.events(of: id), history.origin(of: id),
                history.imports(of: id), PropertyQueries(scope: scope).all(.contact),
                ContactNoteActions.all(id, scope), ContactTaskActions.all(id, scope), WorkspacePeople.all(scope),
                Query(
                    ConsentRecord.self, "contacts.consent.history",
                    ConsentQueries.select(of: id, limit: 200, scope)))
        }
        guard let contact = found.first else { throw WebError.notFound }
        let ownIDs = Set(own.map(\.id))
        let moments = history.page(records + sent + happened + origin + imports)
        let zone: String = request.session?.timeZone ?? "UTC"
        return ContactShowPage(
            contact: contact, company: companies.first, lists: own,
            otherLists: all.filter { $0.kind == .static && !ownIDs.contains($0.id) }, definitions: definitions,
            notes: notes, tasks: tasks,
            people: people, reader: scope.actor, today: try await today(scope),
            zone: zone, moments: moments.moments.map { $0.said(definitions, zone: zone) },
            filter: filter, isFirst: cursor == nil, olderCursor: moments.next.map { request.cursor(after: $0) },
            consents: consents, edit: edit)
    }

    /// The day that it is in the workspace.
    private func today(_ scope: WorkspaceScope) async throws -> String {
        let zone: String? = try await services.directory.workspace(scope.workspace)?.timeZone
        return WorkspaceDay.text(services.clock.now, zone: zone ?? "UTC")
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

    /// Back to the page; a script that edits in place needs no message.
    private func back(_ id: ContactID, _ anchor: String, _ request: WebRequest, _ notice: String) -> WebResponse {
        .redirect(to: "\(ContactPaths.contact(id))#\(anchor)", notice: request.fragment == nil ? notice : nil)
    }

    private func refuse(_ id: ContactID, _ anchor: String, _ errors: ValidationErrors) -> WebResponse {
        .redirect(to: "\(ContactPaths.contact(id))#\(anchor)", alert: errors.entries.first?.message)
    }

    // MARK: Lists

    private func addToList(_ request: WebRequest) async throws -> WebResponse {
        let contact = try await contact(request)
        let scope = try request.scope
        guard let id = ContactListID(try await request.form().text("list")) else { throw WebError.notFound }
        let list = try await services.database.read(scope.workspace) { transaction in
            try await ListQueries(scope: scope).find(id, in: transaction)
        }
        guard let list else { throw WebError.notFound }
        _ = try await ListActions(services: services).add([contact.id], to: list, scope)
        return .redirect(
            to: ContactPaths.contact(contact.id), notice: "\(contact.displayName) is on “\(list.name)” now.")
    }

    // MARK: Properties in place

    /// Saves what was really typed. What somebody else changed meanwhile stays, unless it is the same property: then both
    /// values are shown.
    private func updateProperties(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let scope = try request.scope
        let form = try await request.form()
        var input = ContactInput()
        input.isForm = true
        input.properties = PropertyControl.values(ContactFormPage.typed(form))
        let group: String = form.text("group")
        do {
            var outcome = try await actions.update(id, input, revision: form.optional("revision"), scope)
            if case .changedMeanwhile(let theirs, _) = outcome {
                let errors: ValidationErrors = Self.conflicts(theirs, input, form)
                if !errors.isEmpty {
                    let edit = ContactShowPage.Edit(
                        group: group, form: ContactFormPage.typed(form), errors: errors, keepsState: false)
                    return .page(try await page(id, request, edit: edit), status: .conflict)
                }
                outcome = try await actions.update(id, input, revision: theirs.revision, scope)
            }
            switch outcome {
            case .saved(let contact): return back(id, "properties", request, "\(contact.displayName) was saved.")
            case .changedMeanwhile:
                return .redirect(
                    to: ContactPaths.contact(id), alert: "Somebody else is editing this contact. Try again.")
            case .missing, .emailTaken, .emailFormer: throw WebError.notFound
            }
        } catch let errors as ValidationErrors {
            let edit = ContactShowPage.Edit(group: group, form: form, errors: errors)
            return .page(try await page(id, request, edit: edit), status: .unprocessableContent)
        }
    }

    /// The properties that both changed.
    private static func conflicts(_ theirs: Contact, _ input: ContactInput, _ form: FormValues) -> ValidationErrors {
        let base: [String: JSONValue] = PropertyControl.values(FormValues(urlEncoded: form.raw("base") ?? ""))
        var errors = ValidationErrors()
        for name in input.properties.keys.sorted() {
            let now: JSONValue? = theirs.properties[name]
            if PropertyFormat.machine(now) == PropertyFormat.machine(base[name]) { continue }
            var words: String = PropertyFormat.machine(now)
            if form.contains("moment:\(name)") {
                words = LocalMoment.words(words, zone: form.optional(LocalMoment.zoneField) ?? "UTC")
            }
            let shown: String = words.isEmpty ? "nothing" : "“\(words)”"
            errors.add(
                "properties/\(name)",
                "\(name): Somebody else changed this to \(shown) meanwhile. Save again to keep yours.")
        }
        return errors
    }

    // MARK: Notes

    private func addNote(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try await contact(request).id
        let form = try await request.form()
        let input = ContactNoteInput(
            body: form.raw("body"), isPinned: form.flag("pinned"), isPrivate: form.flag("private"))
        do {
            let notes = ContactNoteActions(services: services, scope: try request.scope)
            guard try await notes.add(input, to: id, by: try request.member) != nil else { throw WebError.notFound }
            return back(id, "notes", request, "The note was kept.")
        } catch let errors as ValidationErrors {
            return refuse(id, "notes", errors)
        }
    }

    private func changeNote(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let noteID: ContactNoteID = try request.id("noteId")
        let notes = ContactNoteActions(services: services, scope: try request.scope)
        let deed: String = try await request.form().text("deed")
        switch deed {
        case "pin", "unpin":
            guard try await notes.change(noteID, of: id, ContactNoteInput(isPinned: deed == "pin")) != nil else {
                throw WebError.notFound
            }
        case "delete":
            guard try await notes.delete(noteID, of: id) else { throw WebError.notFound }
        default: throw WebError.notFound
        }
        return back(id, "notes", request, "The note was changed.")
    }

    // MARK: Tasks

    private func addTask(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try await contact(request).id
        let form = try await request.form()
        var input = ContactTaskInput()
        input.title = ContactTaskInput.Field(form.optional("title"))
        input.dueOn = ContactTaskInput.Field(form.optional("due"))
        input.assignee = ContactTaskInput.Field(form.optional("assignee").flatMap { UserID($0) })
        do {
            let tasks = ContactTaskActions(services: services, scope: try request.scope)
            guard try await tasks.add(input, to: id) != nil else { throw WebError.notFound }
            return back(id, "tasks", request, "The task was added.")
        } catch let errors as ValidationErrors {
            return refuse(id, "tasks", errors)
        }
    }

    private func changeTask(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let taskID: ContactTaskID = try request.id("taskId")
        let tasks = ContactTaskActions(services: services, scope: try request.scope)
        let deed: String = try await request.form().text("deed")
        switch deed {
        case "done", "reopen":
            let input = ContactTaskInput(isDone: deed == "done")
            guard try await tasks.change(taskID, of: id, input) != nil else { throw WebError.notFound }
        case "delete":
            guard try await tasks.delete(taskID, of: id) else { throw WebError.notFound }
        default: throw WebError.notFound
        }
        return back(id, "tasks", request, deed == "done" ? "Done." : "The task was changed.")
    }
}
