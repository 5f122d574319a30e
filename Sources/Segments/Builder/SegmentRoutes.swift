import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import Web

/// The pages about segments. The builder works by round trips: each button sends the whole form, the server answers with
/// it changed. A script fetches only the part that changed.
struct SegmentRoutes: Sendable {
    let actions: SegmentActions
    let desk: PreviewDesk

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/segments", .viewer, index)
        routes.page(.get, "/segments/new", .editor, new)
        routes.page(.post, "/segments", .editor, create)
        routes.page(.get, "/segments/{id}", .viewer, show)
        routes.page(.get, "/segments/{id}/edit", .editor, edit)
        routes.page(.post, "/segments/{id}", .editor, update)
        routes.page(.post, "/segments/{id}/recalculate", .editor, recalculate)
    }

    private var services: AppServices { actions.services }
    private var builder: SegmentBuilder { SegmentBuilder(actions: actions, desk: desk) }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let rows = try await services.database.read(scope.workspace) { transaction in
            var rows: [SegmentsIndexPage.Row] = []
            for segment in try await SegmentQueries(workspace: scope.workspace).all(in: transaction) {
                rows.append(
                    SegmentsIndexPage.Row(
                        name: segment.name, href: SegmentPaths.segment(segment.list), members: segment.members,
                        sentence: try await builder.sentence(segment, scope, in: transaction),
                        state: SegmentWords(segment.state)))
            }
            return rows
        }
        return .page(SegmentsIndexPage(rows: rows))
    }

    private func segment(_ request: WebRequest) async throws -> StoredSegment {
        let id: ContactListID = try request.id()
        guard let segment = try await actions.find(id, try request.scope) else { throw WebError.notFound }
        return segment
    }

    // MARK: The builder

    private func new(_ request: WebRequest) async throws -> WebResponse {
        .page(try await builder.page(nil, FormValues(), .empty, try request.member))
    }

    private func edit(_ request: WebRequest) async throws -> WebResponse {
        let segment = try await segment(request)
        return .page(try await builder.page(for: segment, try request.member))
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        try await save(nil, request)
    }

    private func update(_ request: WebRequest) async throws -> WebResponse {
        try await save(try await segment(request), request)
    }

    private func save(_ segment: StoredSegment?, _ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        var draft = DraftGroup(form)
        if let word = form.optional("do") {
            if let command = DraftCommand(word) { draft.perform(command) }
            return .page(try await builder.page(segment, form, draft, try request.member))
        }
        do {
            let list: ContactListID = try await builder.save(segment, form, draft, try request.scope)
            return .redirect(
                to: SegmentPaths.segment(list),
                notice: segment == nil ? "The segment was created. It is being filled." : "The segment was saved.")
        } catch let newer as SegmentActions.ChangedMeanwhile {
            return .page(
                try await builder.page(conflictingWith: newer.segment, form, draft, try request.member),
                status: .conflict)
        } catch let errors as ValidationErrors {
            return .page(
                try await builder.page(segment, form, draft, try request.member, errors: errors),
                status: .unprocessableContent)
        }
    }

    // MARK: One segment

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let segment = try await segment(request)
        let scope = try request.scope
        let (sentence, people) = try await services.database.read(scope.workspace) { transaction in
            let people = try await ContactLookup.newest(inList: segment.list, limit: 10, scope, in: transaction)
            return (try await builder.sentence(segment, scope, in: transaction), people)
        }
        var page = SegmentShowPage(
            id: segment.list, name: segment.name, description: segment.description, sentence: sentence,
            members: segment.members, state: SegmentWords(segment.state), problem: segment.problem,
            filledAt: segment.filledAt)
        page.people = people.map {
            SegmentPerson(
                name: $0.displayName, detail: $0.displayName == $0.email ? nil : $0.email, href: "/contacts/\($0.id)")
        }
        page.checkedAt = segment.checkedAt
        page.checked = Self.words(segment)
        if let who = request.query.optional("who") {
            page.why = try await builder.why(who, segment.rules, scope)
        }
        return .page(page)
    }

    /// What the last nightly check found, and how long looking at everybody took.
    static func words(_ segment: StoredSegment) -> String? {
        guard segment.checkedAt != nil else { return nil }
        let count: Int = segment.differences ?? 0
        let found: String =
            count == 0
            ? "found nobody on the wrong side" : "put \(NumberWords.counted(count, "person", "people")) right"
        let took: Int = segment.checkMilliseconds ?? 0
        let time: String = took < 1_000 ? "\(max(1, took)) ms" : "\(took / 1_000).\(took % 1_000 / 100) s"
        return "The last nightly check looked at everybody in \(time) and \(found)."
    }

    private func recalculate(_ request: WebRequest) async throws -> WebResponse {
        let segment = try await segment(request)
        guard try await actions.recalculate(segment.list, try request.scope) else { throw WebError.notFound }
        return .redirect(
            to: SegmentPaths.segment(segment.list), notice: "Everybody is being looked at again. This takes a moment.")
    }
}
