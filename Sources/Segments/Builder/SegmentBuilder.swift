import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import Web

/// What the builder's pages show and save.
struct SegmentBuilder: Sendable {
    let actions: SegmentActions
    let desk: PreviewDesk

    private var services: AppServices { actions.services }

    func page(for segment: StoredSegment, _ member: Principal) async throws -> SegmentFormPage {
        let scope = WorkspaceScope(member)
        let form = FormValues([("name", segment.name), ("description", segment.description)])
        do {
            let rule: PreparedRule = try await services.database.read(scope.workspace) { transaction in
                try await actions.desk.prepare(segment.rules, scope, requiresReferences: false, in: transaction)
            }
            return try await page(segment, form, DraftGroup(rule.group, rule.names), member)
        } catch let errors as ValidationErrors {
            // A rule that is no longer understood cannot be shown as a form; its mistakes say why.
            return try await page(segment, form, .empty, member, errors: errors)
        }
    }

    /// - Parameter errors: what kept it from being saved; mistakes in the rule are found anew.
    func page(
        _ segment: StoredSegment?, _ form: FormValues, _ draft: DraftGroup, _ member: Principal,
        errors: ValidationErrors? = nil
    ) async throws -> SegmentFormPage {
        let scope = WorkspaceScope(member)
        let (vocabulary, rules) = try await services.database.read(scope.workspace) { transaction in
            let vocabulary = try await BuilderVocabulary.load(scope, actions.references, in: transaction)
            return (vocabulary, try await json(draft, vocabulary.catalog, scope, in: transaction))
        }
        var page = SegmentFormPage(
            id: segment?.list, title: segment.map { "Edit \($0.name)" } ?? "New segment", form: form,
            showsQuery: form.flag("query"), errors: errors ?? ValidationErrors())
        page.revision = form.raw("revision") ?? segment?.revision ?? ""
        page.rows = BuilderRows(vocabulary: vocabulary, errors: errors ?? ValidationErrors()).rows(draft)
        page.preview = try await preview(rules, form, member)
        return page
    }

    private func json(
        _ draft: DraftGroup, _ catalog: FieldCatalog, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> JSONValue {
        var reader = DraftReader(catalog: catalog)
        reader.companies = try await BuilderVocabulary.companies(
            named: draft.companyNames, scope, in: transaction)
        return reader.json(draft)
    }

    func save(
        _ segment: StoredSegment?, _ form: FormValues, _ draft: DraftGroup, _ scope: WorkspaceScope
    ) async throws -> ContactListID {
        let rules: JSONValue = try await services.database.read(scope.workspace) { transaction in
            let catalog = try await FieldCatalog.load(scope.workspace, in: transaction)
            return try await json(draft, catalog, scope, in: transaction)
        }
        let (name, description) = (form.text("name"), form.text("description"))
        guard let segment else {
            try await refuseTogether(name, description, rules, scope)
            return try await actions.create(name: name, description: description, rules: rules, scope).id
        }
        try await refuseTogether(name, description, rules, scope)
        let revision: String? = form.optional("revision")
        try await actions.change(segment.list, rules: rules, revision: revision, scope)
        let version: Int? = revision.flatMap { $0.split(separator: "-").first }.flatMap { Int($0) }
        switch try await ContactLists.rename(
            segment.list, name: name, description: description, version: version, scope, services: services)
        {
        case .saved: return segment.list
        case .missing: throw WebError.notFound
        case .changedMeanwhile:
            guard let now = try await actions.find(segment.list, scope) else { throw WebError.notFound }
            throw SegmentActions.ChangedMeanwhile(segment: now)
        }
    }

    /// The form with what was typed, and both values of what somebody else saved meanwhile.
    func page(
        conflictingWith segment: StoredSegment, _ form: FormValues, _ draft: DraftGroup, _ member: Principal
    ) async throws -> SegmentFormPage {
        let scope = WorkspaceScope(member)
        var page: SegmentFormPage = try await page(segment, form, draft, member)
        let theirs: String = try await services.database.read(scope.workspace) { transaction in
            try await sentence(segment, scope, in: transaction)
        }
        page.revision = segment.revision
        page.hasNewer = true
        page.conflicts = ContactConflict.differing([
            ("Name", segment.name, form.text("name")), ("Description", segment.description, form.text("description")),
            ("Who is in it", theirs, page.preview.sentence ?? "A rule that is not finished"),
        ])
        return page
    }

    /// Tells the mistakes of the name and of the rule at once.
    private func refuseTogether(
        _ name: String, _ description: String, _ rules: JSONValue, _ scope: WorkspaceScope
    ) async throws {
        var errors = ValidationErrors()
        do {
            try ContactLists.check(name: name, description: description)
        } catch {
            for entry in error.entries { errors.add(entry.field, entry.message) }
        }
        do {
            _ = try await services.database.read(scope.workspace) { transaction in
                try await actions.desk.prepare(rules, scope, in: transaction)
            }
        } catch let wrong as ValidationErrors {
            for entry in wrong.entries { errors.add(entry.field, entry.message) }
        }
        try errors.throwIfAny()
    }

    // MARK: Preview

    private func preview(_ rules: JSONValue, _ form: FormValues, _ member: Principal) async throws -> PreviewBox {
        let scope = WorkspaceScope(member)
        let who: String = form.text("who")
        let showsQuery: Bool = form.flag("query")
        do {
            return try await desk.run(for: member.user) {
                try await box(rules, who: who, showsQuery: showsQuery, scope)
            }
        } catch is CancellationError {
            return PreviewBox(summary: "Counting…")
        } catch let error as PostgresError {
            if case .cancelled = error { return PreviewBox(summary: "Counting…") }
            throw error
        }
    }

    private func box(
        _ rules: JSONValue, who: String, showsQuery: Bool, _ scope: WorkspaceScope
    ) async throws -> PreviewBox {
        var box = PreviewBox()
        do {
            let found = try await actions.preview(rules, scope)
            box.summary =
                found.count == 0 ? "Nobody matches" : "\(NumberWords.counted(found.count, "person", "people")) match"
            if found.count == 1 { box.summary += "es" }
            box.sentence = found.sentence
            box.people = found.sample.map(SegmentPerson.init)
            if showsQuery {
                let query = try await actions.query(of: rules, scope)
                box.sql = query.sql + "\n\n" + query.plan.joined(separator: "\n")
                box.cost = "Answered in \(Int(found.milliseconds.rounded(.up))) ms, \(Self.words(found.branches))"
            }
            if !who.isEmpty { box.why = try await why(who, rules, scope) }
        } catch is ValidationErrors {
            box.problem = "Finish the conditions to see who matches."
        } catch let error as WebError where error.code == RuleQuery.tooBroad.code {
            box.problem = error.detail
        }
        return box
    }

    /// What counting had to read.
    static func words(_ branches: [RuleBranch]) -> String {
        let entries: Int = branches.reduce(0) { $0 + ($1.start.places.isEmpty ? 0 : $1.start.entries) }
        return branches.contains { $0.start.places.isEmpty }
            ? "by looking at everybody. Conditions that must hold on fast properties, companies or behaviour make it shorter."
            : "beginning with about \(NumberWords.counted(entries, "entry", "entries")) of indexes."
    }

    /// Whether the first person whom some words find is in it, and why.
    func why(_ who: String, _ rules: JSONValue, _ scope: WorkspaceScope) async throws -> ExplanationBox {
        let people = try await services.database.read(scope.workspace) { transaction in
            try await ContactLookup.newest(matching: who, limit: 1, scope, in: transaction)
        }
        var box = ExplanationBox(who: who)
        guard let person = people.first else {
            box.isMissing = true
            return box
        }
        box.href = "/contacts/\(person.id)"
        do {
            guard let finding = try await actions.explain(rules, person.id, scope) else {
                box.isMissing = true
                return box
            }
            box.title = "\(person.displayName) \(finding.holds ? "matches" : "does not match")"
            box.rows = ExplanationRow.rows(finding)
        } catch is ValidationErrors {
            box.title = "The rule cannot be read now."
        }
        return box
    }

    /// The rule in words; what is wrong with it when it cannot be read any more.
    func sentence(
        _ segment: StoredSegment, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> String {
        do {
            return try await actions.desk.prepare(segment.rules, scope, requiresReferences: false, in: transaction)
                .sentence
        } catch let errors as ValidationErrors {
            return errors.entries.first?.message ?? "The rule cannot be read any more."
        }
    }
}

extension DraftGroup {
    /// Names and domains of companies as they were typed.
    var companyNames: [String] {
        nodes.flatMap { node -> [String] in
            switch node {
            case .group(let group): return group.companyNames
            case .leaf(let leaf):
                guard leaf.subject == RuleField.company.path else { return [] }
                return leaf.all("lines").flatMap { $0.split(whereSeparator: \.isNewline) }.map { $0.trimmed }
            }
        }
    }
}
