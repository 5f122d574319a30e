import Accounts
import Core
import FoundationEssentials
import Templates
import Web

/// Everything about one person.
struct ContactShowPage: ViewPage {
    let contact: Contact
    var company: Company?
    var lists: [ContactMembership] = []
    var otherLists: [ContactList] = []
    var definitions: [PropertyDefinition] = []
    var notes: [ContactNote] = []
    var tasks: [ContactTask] = []
    var people: [WorkspacePerson] = []
    var reader: UserID?
    var today: String = ""
    /// The workspace's time zone.
    var zone: String = "UTC"
    var moments: [ContactMoment] = []
    var filter = ContactHistoryFilter()
    var isFirst = true
    var olderCursor: String?
    var consents: [ConsentRecord] = []
    /// Properties that were edited in place and did not go through.
    var edit: Edit?

    /// What was typed into the form of a group of properties.
    struct Edit: Sendable {
        let group: String
        let form: FormValues
        let errors: ValidationErrors
        /// Whether the form still stands on the state that it was opened with; else on the one that is shown.
        var keepsState: Bool = true
    }

    static let view = "contacts/show"
    static let fields = Fields<ContactShowPage> { f in
        f.text("name") { $0.contact.displayName }
        f.optionalText("email") { $0.contact.fullName == nil ? nil : $0.contact.email }
        f.text("emailShown") { $0.contact.email ?? "—" }
        f.text("firstName") { $0.contact.firstName ?? "—" }
        f.text("lastName") { $0.contact.lastName ?? "—" }
        f.text("phone") { $0.contact.phone ?? "—" }
        f.text("status") { $0.contact.emailStatus.words }
        f.optionalDate("inactiveSince") { $0.contact.inactiveSince }
        f.text("tone") { $0.contact.emailStatus.tone }
        f.list("tags", of: LabelledLink.self) { $0.contact.tags.map(ContactTable.link(toTag:)) }
        f.optionalText("company") { $0.company?.name }
        f.link("companyHref") { $0.company.map { CompanyPaths.company($0.id) } ?? "/companies" }
        f.date("created") { $0.contact.createdAt }
        f.date("updated") { $0.contact.updatedAt }
        f.text("source") { $0.contact.source.map(SourceWords.of) ?? "Unknown" }
        f.optionalLink("importHref") { $0.contact.importID.map(ContactPaths.importPage) }
        f.text("consent") { $0.consent }
        f.record("consentPanel", of: ConsentPanel.self) { ConsentPanel($0.contact.id, $0.consents) }
        f.text("tracking") { $0.contact.trackingAllowed ? "May be counted" : "Are not counted" }
        f.list("groups", of: PropertyEditGroup.self) { $0.groups }
        f.link("propertiesHref") { "\(ContactPaths.contact($0.contact.id))/properties" }
        f.list("lists", of: ContactMembershipLine.self) { page in
            page.lists.map { ContactMembershipLine(membership: $0, contact: page.contact) }
        }
        f.list("otherLists", of: SelectOption.self) { page in
            page.otherLists.map { SelectOption(value: $0.id.description, label: $0.name) }
        }
        f.list("notes", of: ContactNoteLine.self) { page in
            page.notes.map { ContactNoteLine(note: $0, contact: page.contact.id, isOwn: $0.authorID == page.reader) }
        }
        f.list("tasks", of: ContactTaskLine.self) { page in
            page.tasks.map { ContactTaskLine(task: $0, contact: page.contact.id, today: page.today) }
        }
        f.list("people", of: SelectOption.self) { page in
            [SelectOption(value: "", label: "Nobody yet")]
                + page.people.map {
                    SelectOption(value: $0.id.description, label: $0.name, selected: $0.id == page.reader)
                }
        }
        f.link("notesHref") { "\(ContactPaths.contact($0.contact.id))/notes" }
        f.link("tasksHref") { "\(ContactPaths.contact($0.contact.id))/tasks" }
        f.list("moments", of: ContactMoment.self) { $0.moments }
        f.list("kinds", of: Tab.self) { $0.kinds }
        f.optionalText("show") { $0.filter.kind?.rawValue }
        f.optionalText("from") { $0.filter.from }
        f.optionalText("to") { $0.filter.to }
        f.flag("isFirst") { $0.isFirst }
        f.link("newestHref") { $0.path($0.filter) }
        f.optionalLink("olderHref") { page in page.olderCursor.map { page.path(page.filter, cursor: $0) } }
        f.link("href") { ContactPaths.contact($0.contact.id) }
        f.link("editHref") { "\(ContactPaths.contact($0.contact.id))/edit" }
        f.link("mergeHref") { "\(ContactPaths.contact($0.contact.id))/merge" }
        f.link("deleteHref") { "\(ContactPaths.contact($0.contact.id))/delete" }
        f.link("listHref") { "\(ContactPaths.contact($0.contact.id))/lists" }
        f.list("errors", of: ErrorSummaryItem.self) { page in
            ErrorSummaryItem.items(
                page.edit?.errors ?? ValidationErrors(), page.groups.map(\.group))
        }
    }

    private func path(_ filter: ContactHistoryFilter, cursor: String? = nil) -> String {
        ContactPaths.contact(contact.id) + PercentEncoding.query(filter.pairs + [("cursor", cursor)])
            + (filter == ContactHistoryFilter() && cursor == nil ? "" : "#timeline-title")
    }

    private var kinds: [Tab] {
        let all: [ContactMoment.Kind?] = [nil] + ContactMoment.Kind.allCases
        return all.map { kind in
            var filter = filter
            filter.kind = kind
            return Tab(label: kind?.label ?? "Everything", href: path(filter), current: kind == self.filter.kind)
        }
    }

    private var consent: String {
        guard let basis = contact.consentBasis else { return "Not stated" }
        return ConsentBasis(rawValue: basis)?.words ?? basis
    }

    private var groups: [PropertyEditGroup] {
        PropertyEditGroup.groups(definitions, contact, edit, zone: zone)
    }

    static var previews: [ContactShowPage] {
        let day: Date = PreviewPeople.day
        let id = PreviewPeople.run.uuid
        let memberships: [ContactMembership] = [false, true].map { isSegment in
            ContactMembership(id: PreviewPeople.list.id, name: "Newsletter", isSegment: isSegment, since: day)
        }
        let edit = Edit(
            group: "", form: FormValues([("property:orders", "many")]),
            errors: ValidationErrors("properties/orders", "Orders: This must be a number."))
        return [
            ContactShowPage(contact: PreviewPeople.contact),
            ContactShowPage(
                contact: PreviewPeople.contact, company: PreviewPeople.company, lists: memberships,
                otherLists: [PreviewPeople.list], definitions: PreviewProperties.all,
                notes: [
                    ContactNote(
                        id: ContactNoteID(id), author: "Ana Ruiz", body: "Likes red wine.", isPinned: true,
                        isPrivate: true, createdAt: day),
                    ContactNote(id: ContactNoteID(id), author: "Bo Ek", body: "Called.", createdAt: day),
                ],
                tasks: [
                    ContactTask(
                        id: ContactTaskID(id), title: "Call back", dueOn: "2026-01-14", assignee: "Ana Ruiz",
                        createdAt: day),
                    ContactTask(id: ContactTaskID(id), title: "Send prices", createdAt: day, doneAt: day),
                ], today: "2026-01-15", moments: [PreviewPeople.event.moment],
                filter: ContactHistoryFilter(kind: .change), isFirst: false, olderCursor: "x",
                consents: ConsentHistoryPage.exampleRecords, edit: edit),
        ]
    }
}

/// A group of properties on a page, with the form that edits them in place.
struct PropertyEditGroup: ViewRecord {
    let group: PropertyControlGroup
    let shown: PropertyShownGroup?
    let key: String
    let index: Int
    let revision: String
    let base: String
    let isOpen: Bool

    static let fields = Fields<PropertyEditGroup> { f in
        f.text("id") { "properties-\($0.index)" }
        f.text("title") { $0.group.title }
        f.text("key") { $0.key }
        f.text("revision") { $0.revision }
        f.text("base") { $0.base }
        f.flag("isOpen") { $0.isOpen }
        f.list("lines", of: PropertyShownGroup.Line.self) { $0.shown?.lines ?? [] }
        f.list("controls", of: PropertyControl.self) { $0.group.controls }
    }

    static func groups(
        _ definitions: [PropertyDefinition], _ contact: Contact, _ edit: ContactShowPage.Edit?, zone: String
    ) -> [PropertyEditGroup] {
        let stored: [String: JSONValue] = contact.properties
        let shown: [PropertyShownGroup] = PropertyShownGroup.groups(definitions, stored, zone: zone)
        let plain: [PropertyControlGroup] = PropertyControlGroup.groups(definitions, stored: stored, zone: zone)
        let filled: [PropertyControlGroup] = PropertyControlGroup.groups(
            definitions, stored: stored, form: edit?.form ?? FormValues(), errors: edit?.errors ?? ValidationErrors(),
            zone: zone)
        return zip(plain, filled).enumerated().map { index, pair in
            let key: String = pair.0.controls.first?.definition.group ?? ""
            let base: String = pair.0.controls.flatMap(\.pairs)
                .map { PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1) }.joined(separator: "&")
            let opened: FormValues? = edit?.group == key && edit?.keepsState == true ? edit?.form : nil
            return PropertyEditGroup(
                group: pair.1, shown: shown.first { $0.title == pair.0.title }, key: key, index: index,
                revision: opened?.raw("revision") ?? contact.revision, base: opened?.raw("base") ?? base,
                isOpen: edit != nil && edit?.group == key)
        }
    }
}

/// A note as the page shows it.
struct ContactNoteLine: ViewRecord {
    let note: ContactNote
    let contact: ContactID
    let isOwn: Bool

    static let fields = Fields<ContactNoteLine> { f in
        f.text("body") { $0.note.body }
        f.text("author") { $0.note.author }
        f.date("at") { $0.note.createdAt }
        f.flag("isPinned") { $0.note.isPinned }
        f.flag("isPrivate") { $0.note.isPrivate }
        f.flag("isOwn") { $0.isOwn }
        f.link("href") { "\(ContactPaths.contact($0.contact))/notes/\($0.note.id)" }
    }
}

/// A task as the page shows it.
struct ContactTaskLine: ViewRecord {
    let task: ContactTask
    let contact: ContactID
    /// The day that it is in the workspace: `2026-01-15`.
    let today: String

    static let fields = Fields<ContactTaskLine> { f in
        f.text("title") { $0.task.title }
        f.optionalText("due") { $0.task.dueOn.map(LocalMoment.dayWords) }
        f.flag("isOverdue") { line in
            line.task.doneAt == nil && (line.task.dueOn.map { $0 < line.today } ?? false)
        }
        f.optionalText("assignee") { $0.task.assignee }
        f.flag("isDone") { $0.task.doneAt != nil }
        f.link("href") { "\(ContactPaths.contact($0.contact))/tasks/\($0.task.id)" }
    }
}
