import Core
import FoundationEssentials
import Templates
import Web

/// The form for a new or an existing person.
struct ContactFormPage: ViewPage {
    var contact: Contact?
    var form = FormValues()
    var errors = ValidationErrors()
    var conflicts: [Conflict] = []
    var takenHref: String?
    /// The workspace's properties; each gets a control.
    var definitions: [PropertyDefinition] = []
    /// The workspace's time zone.
    var zone: String = "UTC"
    /// The person's company.
    var company: Company?
    /// What was found for the words in the company's search field; nil: nothing was searched.
    var found: [Company]?

    typealias Conflict = ContactConflict

    static let view = "contacts/form"
    static let fields = Fields<ContactFormPage> { f in
        f.text("title") { $0.contact.map { "Edit \($0.displayName)" } ?? "Add contact" }
        f.text("saveLabel") { $0.contact == nil ? "Add contact" : "Save changes" }
        f.link("action") { $0.contact.map { ContactPaths.contact($0.id) } ?? "/contacts" }
        f.link("backHref") { $0.contact.map { ContactPaths.contact($0.id) } ?? "/contacts" }
        f.link("companyAction") { page in
            page.contact.map { "\(ContactPaths.contact($0.id))/find-company" } ?? "/contacts/find-company"
        }
        // A form that comes back still stands on the state that it was opened with.
        f.text("revision") { $0.form.raw("revision") ?? $0.contact?.revision ?? "" }
        f.text("base") { $0.form.raw("base") ?? $0.base }
        for name in ["email", "firstName", "lastName", "phone", "tags", "newPropertyName", "newPropertyValue"] {
            f.record(name, of: FormField.self) { $0.field(name) }
        }
        f.list("statuses", of: SelectOption.self) { $0.statuses }
        f.flag("trackingAllowed") { $0.trackingAllowed }
        f.list("companies", of: SelectOption.self) { $0.companies }
        f.text("companyQuery") { $0.form.text("companyQuery") }
        f.optionalText("companyHint") { $0.companyHint }
        f.list("groups", of: PropertyControlGroup.self) { $0.groups }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors, $0.groups) }
        f.list("conflicts", of: Conflict.self) { $0.conflicts }
        f.flag("hasNewer") { $0.hasNewer }
        f.optionalLink("takenHref") { $0.takenHref }
    }

    /// Somebody else saved while this form was open.
    var hasNewer: Bool = false

    private func stored(_ name: String) -> String {
        switch name {
        case "email": contact?.email ?? ""
        case "firstName": contact?.firstName ?? ""
        case "lastName": contact?.lastName ?? ""
        case "phone": contact?.phone ?? ""
        case "tags": contact?.tags.joined(separator: ", ") ?? ""
        case "emailStatus": (contact?.emailStatus ?? .active).rawValue
        case "company": contact?.companyID?.description ?? ""
        default: ""
        }
    }

    /// What was typed, else what is stored.
    private func field(_ name: String) -> FormField {
        FormField(name, form.raw(name) ?? stored(name), errors)
    }

    /// What the form showed when it was opened: so that after somebody else saved, only what was really typed counts.
    private var base: String {
        guard let contact else { return "" }
        var pairs: [(String, String?)] = ["email", "firstName", "lastName", "phone", "tags", "emailStatus", "company"]
            .map { ($0, stored($0)) }
        if contact.trackingAllowed { pairs.append(("trackingAllowed", "on")) }
        for control in groups(stored: contact.properties, form: FormValues()).flatMap(\.controls) {
            pairs += control.pairs.map { ($0.0, $0.1) }
        }
        return pairs.map { PercentEncoding.encode($0) + "=" + PercentEncoding.encode($1 ?? "") }
            .joined(separator: "&")
    }

    private var trackingAllowed: Bool {
        form.names.contains("trackingShown") ? form.flag("trackingAllowed") : contact?.trackingAllowed ?? true
    }

    private var statuses: [SelectOption] {
        let current: EmailStatus =
            form.optional("emailStatus").flatMap(EmailStatus.init) ?? contact?.emailStatus ?? .active
        return EmailStatus.allCases.map {
            SelectOption(value: $0.rawValue, label: $0.words, selected: $0 == current)
        }
    }

    private var companies: [SelectOption] {
        let chosen: String = form.raw("company") ?? stored("company")
        var options: [SelectOption] = [SelectOption(value: "", label: "No company", selected: chosen.isEmpty)]
        var known: [Company] = found ?? []
        if let company, !known.contains(where: { $0.id == company.id }) { known.insert(company, at: 0) }
        // What was found is what one probably wants.
        let wanted: String = found?.first?.id.description ?? chosen
        options += known.map {
            SelectOption(value: $0.id.description, label: $0.name, selected: $0.id.description == wanted)
        }
        return options
    }

    private var companyHint: String? {
        guard let found else { return nil }
        return found.isEmpty ? "No company has these words in its name or domain." : "Choose from what was found."
    }

    /// Many properties would make the form endless; those that a person has are always there.
    private var shownDefinitions: [PropertyDefinition] {
        guard definitions.count > 100 else { return definitions }
        return definitions.enumerated().filter { index, definition in
            index < 100 || definition.isRequired || contact?.properties[definition.name] != nil
        }.map(\.element)
    }

    private var groups: [PropertyControlGroup] { groups(stored: contact?.properties ?? defaults, form: form) }

    private func groups(stored: [String: JSONValue], form: FormValues) -> [PropertyControlGroup] {
        PropertyControlGroup.groups(shownDefinitions, stored: stored, form: form, errors: errors, zone: zone)
    }

    /// A new person begins with the defaults.
    private var defaults: [String: JSONValue] {
        definitions.reduce(into: [:]) { values, definition in
            if definition.defaultValue != .null { values[definition.name] = definition.defaultValue }
        }
    }

    /// What was really typed: the fields that differ from what the form showed at first.
    static func typed(_ form: FormValues) -> FormValues {
        guard let text = form.raw("base"), !text.isEmpty else { return form }
        let base = FormValues(urlEncoded: text)
        var typed = FormValues()
        for name in form.names where !["base", "revision", "_csrf", "trackingShown"].contains(name) {
            if form.all(name) == base.all(name), name != LocalMoment.zoneField { continue }
            for value in form.all(name) { typed.append(name, value) }
        }
        if form.flag("trackingAllowed") != base.flag("trackingAllowed") { typed.append("trackingShown", "1") }
        return typed
    }

    static var previews: [ContactFormPage] {
        let errors = ValidationErrors("email", "An e-mail address needs an @, like name@example.com.")
        var blank = ContactFormPage(definitions: PreviewProperties.all, found: [])
        blank.errors = ValidationErrors("properties/orders", "Orders: This must be a number.")
        return [
            ContactFormPage(), blank,
            ContactFormPage(
                contact: PreviewPeople.contact, errors: errors,
                conflicts: [Conflict(field: "First name", theirs: "Anna", yours: "Ana")], takenHref: "/contacts/1",
                definitions: PreviewProperties.all, company: PreviewPeople.company, found: [PreviewPeople.company],
                hasNewer: true),
        ]
    }
}
