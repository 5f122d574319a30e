import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// What happened to people, what was noted and what is to be done, as JSON.
struct ContactDeedsAPI: Sendable {
    let services: AppServices
    let messages: ContactMoment.Source
    let events: ContactMoment.Source

    func add(to routes: inout RouteTable) {
        routes.schema("Activity", ActivityResource.schema)
        routes.schema("Note", NoteResource.schema)
        routes.schema("Task", TaskResource.schema)
        addActivities(to: &routes)
        addNotes(to: &routes)
        addTasks(to: &routes)
    }

    private func addActivities(to routes: inout RouteTable) {
        let filters: [APIOperation.Parameter] = [
            .init("kind", .string(oneOf: ContactMoment.Kind.allCases.map(\.rawValue)), "Only of this kind."),
            .init("from", .string(format: "date"), "From this day on (UTC)."),
            .init("to", .string(format: "date"), "Up to this day (UTC)."), .init("cursor", .string, "The next page."),
        ]
        routes.api(
            .get, "/v1/contacts/{id}/activities", .viewer,
            APIOperation(
                id: "listActivities", tag: "Contacts", summary: "All that happened to a contact, newest first",
                query: filters, response: .page(of: .ref("Activity")), problems: [400, 422]), activities)
        routes.api(
            .post, "/v1/contacts/{id}/activities", .editor,
            APIOperation(
                id: "addActivity", tag: "Contacts", summary: "Tell what happened elsewhere",
                details: "With `sourceEventId` it can be told again: the answer is then 200 with what was kept.",
                body: ActivityResource.input, status: 201, response: .ref("Activity")), addActivity)
    }

    private func addNotes(to routes: inout RouteTable) {
        routes.api(
            .get, "/v1/contacts/{id}/notes", .viewer,
            APIOperation(
                id: "listNotes", tag: "Contacts", summary: "Notes about a contact, pinned ones first",
                details: "Private notes of others are not among them.", response: .page(of: .ref("Note"))), notes)
        routes.api(
            .post, "/v1/contacts/{id}/notes", .editor,
            APIOperation(
                id: "addNote", tag: "Contacts", summary: "Note something about a contact", body: NoteResource.input,
                status: 201, response: .ref("Note")), addNote)
        routes.api(
            .patch, "/v1/contacts/{id}/notes/{noteId}", .editor,
            APIOperation(
                id: "updateNote", tag: "Contacts", summary: "Change a note", body: NoteResource.input,
                response: .ref("Note")), changeNote)
        routes.api(
            .delete, "/v1/contacts/{id}/notes/{noteId}", .editor,
            APIOperation(id: "deleteNote", tag: "Contacts", summary: "Delete a note", status: 204), deleteNote)
    }

    private func addTasks(to routes: inout RouteTable) {
        routes.api(
            .get, "/v1/contacts/{id}/tasks", .viewer,
            APIOperation(
                id: "listTasks", tag: "Contacts", summary: "Tasks about a contact, open ones first",
                response: .page(of: .ref("Task"))), tasks)
        routes.api(
            .post, "/v1/contacts/{id}/tasks", .editor,
            APIOperation(
                id: "addTask", tag: "Contacts", summary: "Add a task", body: TaskResource.input, status: 201,
                response: .ref("Task")), addTask)
        routes.api(
            .patch, "/v1/contacts/{id}/tasks/{taskId}", .editor,
            APIOperation(
                id: "updateTask", tag: "Contacts", summary: "Change or finish a task", body: TaskResource.input,
                response: .ref("Task")), changeTask)
        routes.api(
            .delete, "/v1/contacts/{id}/tasks/{taskId}", .editor,
            APIOperation(id: "deleteTask", tag: "Contacts", summary: "Delete a task", status: 204), deleteTask)
    }

    private func require(_ request: WebRequest) async throws -> ContactID {
        let scope = try request.scope
        let id: ContactID = try request.id()
        let found = try await services.database.read(scope.workspace) { transaction in
            try await ContactQueries(scope: scope).find(id, in: transaction)
        }
        guard found != nil else { throw WebError.notFound }
        return id
    }

    // MARK: Activities

    private func activities(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try await require(request)
        let scope = try request.scope
        let filter = try ContactHistoryFilter(request.query, kind: "kind")
        let history = ContactHistory(
            messages: messages, events: events, scope: scope, kind: filter.kind,
            after: filter.place(try request.pageRequest().after), from: filter.fromDate)
        let page = try await services.database.read(scope.workspace) { transaction in
            try await history.page(of: id, in: transaction)
        }
        let next: String? = page.next.map { request.cursor(after: $0) }
        return try .json(CursorPage(data: page.moments.map(ActivityResource.init), nextCursor: next))
    }

    private struct ActivityBody: StrictInput {
        static let memberNames: Set<String> = ["type", "title", "body", "url", "occurredAt", "sourceEventId"]
        let type: String
        let title: String
        let body: String?
        let url: String?
        let occurredAt: Date?
        let sourceEventId: String?
    }

    private func addActivity(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let body = try await request.json(ActivityBody.self)
        let input = ContactActivityInput(
            type: body.type, title: body.title, body: body.body, url: body.url, occurredAt: body.occurredAt,
            sourceEventID: body.sourceEventId)
        let activities = ContactActivities(services: services, scope: try request.scope)
        switch try await activities.add(input, to: id) {
        case .added(let event): return try .json(ActivityResource(event.moment), status: .created)
        case .known(let event): return try .json(ActivityResource(event.moment))
        case .missing: throw WebError.notFound
        }
    }

    // MARK: Notes

    private func notes(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try await require(request)
        let scope = try request.scope
        let found = try await services.database.read(scope.workspace) { transaction in
            try await transaction.last(ContactNoteActions.all(id, scope))
        }
        return try .json(CursorPage(data: found.map(NoteResource.init), nextCursor: nil))
    }

    private struct NoteBody: StrictInput {
        static let memberNames: Set<String> = ["body", "pinned", "private"]
        let body: String?
        let pinned: Bool?
        let `private`: Bool?

        var input: ContactNoteInput { ContactNoteInput(body: body, isPinned: pinned, isPrivate: `private`) }
    }

    private func addNote(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let input: ContactNoteInput = try await request.json(NoteBody.self).input
        let actions = ContactNoteActions(services: services, scope: try request.scope)
        guard let note = try await actions.add(input, to: id, by: try request.member) else { throw WebError.notFound }
        return try .json(NoteResource(note), status: .created)
    }

    private func changeNote(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let noteID: ContactNoteID = try request.id("noteId")
        let input: ContactNoteInput = try await request.json(NoteBody.self).input
        let actions = ContactNoteActions(services: services, scope: try request.scope)
        guard let note = try await actions.change(noteID, of: id, input) else { throw WebError.notFound }
        return try .json(NoteResource(note))
    }

    private func deleteNote(_ request: WebRequest) async throws -> WebResponse {
        let actions = ContactNoteActions(services: services, scope: try request.scope)
        guard try await actions.delete(try request.id("noteId"), of: try request.id()) else { throw WebError.notFound }
        return .empty()
    }

    // MARK: Tasks

    private func tasks(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try await require(request)
        let scope = try request.scope
        let found = try await services.database.read(scope.workspace) { transaction in
            try await transaction.last(ContactTaskActions.all(id, scope))
        }
        return try .json(CursorPage(data: found.map(TaskResource.init), nextCursor: nil))
    }

    private func taskInput(_ request: WebRequest) async throws -> ContactTaskInput {
        let json: [String: JSONValue] = try await request.json([String: JSONValue].self)
        var errors = ValidationErrors()
        for name in json.keys.sorted() where !["title", "dueOn", "assigneeId", "done"].contains(name) {
            errors.add(name, "There is no member called “\(name.prefix(60))” here.")
        }
        func text(_ name: String) -> ContactInput.Field<String> {
            switch json[name] {
            case nil: return .unchanged
            case .null: return .clear
            case .string(let text): return .set(text)
            default:
                errors.add(name, "This must be text.")
                return .unchanged
            }
        }
        var input = ContactTaskInput(title: text("title"), dueOn: text("dueOn"))
        switch text("assigneeId") {
        case .unchanged: break
        case .clear: input.assignee = .clear
        case .set(let id):
            if let id = UserID(id) {
                input.assignee = .set(id)
            } else {
                errors.add("assigneeId", "There is no such person in this workspace.")
            }
        }
        switch json["done"] {
        case nil, .null: break
        case .bool(let isDone)?: input.isDone = isDone
        default: errors.add("done", "This must be true or false.")
        }
        try errors.throwIfAny()
        return input
    }

    private func addTask(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let input: ContactTaskInput = try await taskInput(request)
        let actions = ContactTaskActions(services: services, scope: try request.scope)
        guard let task = try await actions.add(input, to: id) else { throw WebError.notFound }
        return try .json(TaskResource(task), status: .created)
    }

    private func changeTask(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let taskID: ContactTaskID = try request.id("taskId")
        let input: ContactTaskInput = try await taskInput(request)
        let actions = ContactTaskActions(services: services, scope: try request.scope)
        guard let task = try await actions.change(taskID, of: id, input) else { throw WebError.notFound }
        return try .json(TaskResource(task))
    }

    private func deleteTask(_ request: WebRequest) async throws -> WebResponse {
        let actions = ContactTaskActions(services: services, scope: try request.scope)
        guard try await actions.delete(try request.id("taskId"), of: try request.id()) else { throw WebError.notFound }
        return .empty()
    }
}

/// A moment of a timeline as JSON.
struct ActivityResource: Encodable, Sendable {
    let id: String
    let kind: String
    let title: String
    let detail: String?
    let href: String?
    let occurredAt: Date

    init(_ moment: ContactMoment) {
        id = moment.key
        kind = moment.kind.rawValue
        title = moment.title
        detail = moment.detail
        href = moment.href
        occurredAt = moment.at
    }

    static let schema: APISchema = .object(
        [
            ("id", .string), ("kind", .string(oneOf: ContactMoment.Kind.allCases.map(\.rawValue))), ("title", .string),
            ("detail", .nullable(.string)), ("href", .nullable(.string)), ("occurredAt", .dateTime),
        ], required: ["id", "kind", "title", "occurredAt"])

    static let input: APISchema = .object(
        [
            ("type", .string(maxLength: 60)), ("title", .string(maxLength: 300)), ("body", .string(maxLength: 10_000)),
            ("url", .string(maxLength: 2000)), ("occurredAt", .dateTime), ("sourceEventId", .string(maxLength: 200)),
        ], required: ["type", "title"])
}

struct NoteResource: Encodable, Sendable {
    let id: ContactNoteID
    let body: String
    let author: String
    let authorId: UserID?
    let pinned: Bool
    let `private`: Bool
    let createdAt: Date
    let updatedAt: Date

    init(_ note: ContactNote) {
        id = note.id
        body = note.body
        author = note.author
        authorId = note.authorID
        pinned = note.isPinned
        `private` = note.isPrivate
        createdAt = note.createdAt
        updatedAt = note.updatedAt
    }

    static let schema: APISchema = .object(
        [
            ("id", .id), ("body", .string(maxLength: 10_000)), ("author", .string), ("authorId", .nullable(.id)),
            ("pinned", .boolean), ("private", .boolean), ("createdAt", .dateTime), ("updatedAt", .dateTime),
        ], required: ["id", "body", "author", "pinned", "private", "createdAt"])

    static let input: APISchema = .object([
        ("body", .string(maxLength: 10_000)), ("pinned", .boolean), ("private", .boolean),
    ])
}

struct TaskResource: Encodable, Sendable {
    let id: ContactTaskID
    let title: String
    let dueOn: String?
    let assigneeId: UserID?
    let assignee: String?
    let done: Bool
    let doneAt: Date?
    let createdAt: Date

    init(_ task: ContactTask) {
        id = task.id
        title = task.title
        dueOn = task.dueOn
        assigneeId = task.assigneeID
        assignee = task.assignee
        done = task.doneAt != nil
        doneAt = task.doneAt
        createdAt = task.createdAt
    }

    static let schema: APISchema = .object(
        [
            ("id", .id), ("title", .string(maxLength: 300)), ("dueOn", .nullable(.string(format: "date"))),
            ("assigneeId", .nullable(.id)), ("assignee", .nullable(.string)), ("done", .boolean),
            ("doneAt", .nullable(.dateTime)), ("createdAt", .dateTime),
        ], required: ["id", "title", "done", "createdAt"])

    static let input: APISchema = .object([
        ("title", .string(maxLength: 300)), ("dueOn", .nullable(.string(format: "date"))),
        ("assigneeId", .nullable(.id)),
        ("done", .boolean),
    ])
}
