import Core
import FoundationEssentials
import Templates
import Web

/// The addresses of the pages about properties.
enum PropertyPaths {
    static let index: String = "/settings/properties"
    static func property(_ id: PropertyID) -> String { "\(index)/\(id)" }
}

extension PropertyType {
    /// As pages say it.
    var words: String {
        switch self {
        case .text: "Text"
        case .longText: "Long text"
        case .number: "Number"
        case .money: "Money"
        case .boolean: "Yes or no"
        case .date: "Date"
        case .dateTime: "Date and time"
        case .singleSelect: "Choice of one"
        case .multiSelect: "Choice of several"
        case .url: "Web address"
        }
    }

    static func options(_ current: PropertyType) -> [SelectOption] {
        allCases.map { SelectOption(value: $0.rawValue, label: $0.words, selected: $0 == current) }
    }
}

/// All properties, by object and group.
struct PropertiesIndexPage: ViewPage {
    var properties: [PropertyDefinition] = []

    struct Row: ViewRecord {
        let property: PropertyDefinition
        let isFirst: Bool
        let isLast: Bool

        static let fields = Fields<Row> { f in
            f.text("label") { $0.property.label }
            f.text("name") { $0.property.name }
            f.link("href") { PropertyPaths.property($0.property.id) }
            f.link("moveHref") { "\(PropertyPaths.property($0.property.id))/move" }
            f.text("type") { $0.type }
            f.optionalText("description") { $0.property.description.isEmpty ? nil : $0.property.description }
            f.flag("required") { $0.property.isRequired }
            f.optionalText("speed") { $0.speed }
            f.optionalText("change") { $0.property.change == nil ? nil : "Change under way" }
            f.flag("isFirst") { $0.isFirst }
            f.flag("isLast") { $0.isLast }
        }
        static var viewType: String { "PropertyRow" }

        private var type: String {
            let count: Int = property.options.count
            return count == 0 ? property.type.words : "\(property.type.words) (\(count))"
        }

        private var speed: String? {
            switch property.speed {
            case .normal: nil
            case .building: "Being made fast"
            case .fast: "Fast"
            }
        }
    }

    struct Group: ViewRecord {
        let title: String
        let rows: [Row]

        static let fields = Fields<Group> { f in
            f.text("title") { $0.title }
            f.list("rows", of: Row.self) { $0.rows }
        }
        static var viewType: String { "PropertyGroup" }
    }

    struct Section: ViewRecord {
        let object: PropertyObject
        let groups: [Group]

        static let fields = Fields<Section> { f in
            f.text("title") { $0.object.plural }
            f.text("id") { $0.object.rawValue }
            f.link("newHref") { "\(PropertyPaths.index)/new?object=\($0.object.rawValue)" }
            f.list("groups", of: Group.self) { $0.groups }
        }
        static var viewType: String { "PropertySection" }
    }

    static let view = "properties/index"
    static let fields = Fields<PropertiesIndexPage> { f in
        f.list("sections", of: Section.self) { page in PropertyObject.allCases.map(page.section) }
    }

    private func section(_ object: PropertyObject) -> Section {
        var groups: [(String, [PropertyDefinition])] = []
        for property in properties where property.object == object {
            if let place = groups.firstIndex(where: { $0.0.lowercased() == property.group.lowercased() }) {
                groups[place].1.append(property)
            } else {
                groups.append((property.group, [property]))
            }
        }
        return Section(
            object: object,
            groups: groups.map { title, members in
                Group(
                    title: title.isEmpty ? "Without a group" : title,
                    rows: members.enumerated().map { index, property in
                        Row(property: property, isFirst: index == 0, isLast: index == members.count - 1)
                    })
            })
    }

    static var previews: [PropertiesIndexPage] {
        [PropertiesIndexPage(), PropertiesIndexPage(properties: PreviewProperties.all)]
    }
}

/// The form for a new or an existing property.
struct PropertyFormPage: ViewPage {
    var property: PropertyDefinition?
    var object: PropertyObject = .contact
    var groups: [String] = []
    var form = FormValues()
    var errors = ValidationErrors()
    var hasConflict = false

    struct OptionLine: ViewRecord {
        let number: Int
        let value: String
        let label: String

        static let fields = Fields<OptionLine> { f in
            f.text("name") { $0.value.isEmpty ? "New option" : "Option \($0.number)" }
            f.text("value") { $0.value }
            f.text("label") { $0.label }
        }
        static var viewType: String { "PropertyOptionLine" }
    }

    static let view = "properties/form"
    static let fields = Fields<PropertyFormPage> { f in
        f.text("title") {
            $0.property.map { "Edit “\($0.label)”" } ?? "New property of \($0.object.plural.lowercased())"
        }
        f.text("saveLabel") { $0.property == nil ? "Add property" : "Save changes" }
        f.link("action") { $0.property.map { PropertyPaths.property($0.id) } ?? PropertyPaths.index }
        f.text("object") { $0.object.rawValue }
        f.text("revision") { page in
            let opened: String? = page.hasConflict ? nil : page.form.raw("revision")
            return opened ?? page.property?.revision ?? ""
        }
        f.optionalText("fixedName") { $0.property?.name }
        f.record("label", of: FormField.self) { $0.field("label", $0.property?.label) }
        f.record("name", of: FormField.self) { $0.field("name", nil) }
        f.record("group", of: FormField.self) { $0.field("group", $0.property?.group) }
        f.texts("groups") { $0.groups }
        f.record("description", of: FormField.self) { $0.field("description", $0.property?.description) }
        f.record("default", of: FormField.self) { page in
            page.field("default", PropertyFormat.machine(page.property?.defaultValue))
        }
        f.list("types", of: SelectOption.self) { PropertyType.options($0.type) }
        f.optionalText("typeError") { $0.errors["type"] }
        f.flag("required") { $0.isRequired }
        f.list("options", of: OptionLine.self) { $0.options }
        f.optionalText("optionsError") { $0.errors["options"] }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
        f.flag("hasConflict") { $0.hasConflict }
        f.list("conflicts", of: ContactFormPage.Conflict.self) { $0.conflicts }
        f.flag("canBeFast") { $0.property?.object == .contact }
        f.flag("isFast") { $0.property?.speed == .fast }
        f.flag("isBuilding") { $0.property?.speed == .building }
        f.link("speedHref") { $0.property.map { "\(PropertyPaths.property($0.id))/speed" } ?? PropertyPaths.index }
        f.optionalLink("deleteHref") { page in page.property.map { "\(PropertyPaths.property($0.id))/delete" } }
        f.optionalLink("changeHref") { page in
            page.property.flatMap { $0.change == nil ? nil : "\(PropertyPaths.property($0.id))/change" }
        }
        f.text("variable") { page in page.property.map { "{{ contact.properties.\($0.name) }}" } ?? "" }
    }

    private func field(_ name: String, _ stored: String?) -> FormField {
        FormField(name, form.raw(name) ?? stored ?? "", errors)
    }

    /// What somebody else saved beside what was typed here.
    private var conflicts: [ContactFormPage.Conflict] {
        guard hasConflict, let property else { return [] }
        let labels: [String] = form.all("optionLabel").filter { !$0.trimmed.isEmpty }
        return ContactFormPage.Conflict.differing([
            ("Label", property.label, form.text("label")), ("Type", property.type.words, type.words),
            ("Options", property.options.map(\.label).joined(separator: ", "), labels.joined(separator: ", ")),
            ("Group", property.group, form.text("group")),
            ("Description", property.description, form.text("description")),
            ("Default", PropertyFormat.machine(property.defaultValue), form.text("default")),
            ("Required", property.isRequired ? "Yes" : "No", isRequired ? "Yes" : "No"),
        ])
    }

    private var type: PropertyType { PropertyType(rawValue: form.text("type")) ?? property?.type ?? .text }

    private var isRequired: Bool {
        form.contains("label") ? form.flag("required") : property?.isRequired ?? false
    }

    private var options: [OptionLine] {
        var lines: [(String, String)] =
            form.contains("optionLabel")
            ? Array(zip(form.all("optionValue"), form.all("optionLabel")))
            : property?.options.map { ($0.value, $0.label) } ?? []
        lines.removeAll { $0.0.isEmpty && $0.1.trimmed.isEmpty }
        let blank: Int = lines.isEmpty ? 4 : 2
        lines += Array(repeating: ("", ""), count: blank)
        return lines.enumerated().map { OptionLine(number: $0 + 1, value: $1.0, label: $1.1) }
    }

    static var previews: [PropertyFormPage] {
        var changing: PropertyDefinition = PreviewProperties.plan
        changing.change = PreviewProperties.change
        var fast: PropertyDefinition = PreviewProperties.plan
        fast.speed = .fast
        var building: PropertyDefinition = PreviewProperties.plan
        building.speed = .building
        var errors = ValidationErrors("label", "Give it a name that people read.")
        errors.add("options", "Give at least one option.")
        errors.add("type", "This must be one of the types.")
        return [
            PropertyFormPage(),
            PropertyFormPage(property: PreviewProperties.plan, groups: ["Billing"], hasConflict: true),
            PropertyFormPage(property: changing, errors: errors), PropertyFormPage(property: fast),
            PropertyFormPage(property: building),
        ]
    }
}

/// What a change of type found among the stored values, and the question what is to become of those that do not fit.
struct PropertyChangePage: ViewPage {
    let property: PropertyDefinition
    let change: PropertyChange

    struct Example: ViewRecord {
        let example: PropertyChange.Example

        static let fields = Fields<Example> { f in
            f.text("value") { $0.example.value }
            f.text("owner") { $0.example.owner.isEmpty ? "—" : $0.example.owner }
            f.text("reason") { $0.example.reason }
        }
        static var viewType: String { "PropertyChangeExample" }
    }

    static let view = "properties/change"
    static let fields = Fields<PropertyChangePage> { f in
        f.text("label") { $0.property.label }
        f.text("title") { $0.title }
        f.text("message") { $0.message }
        f.flag("isUnderWay") { $0.change.stage != .found }
        f.list("examples", of: Example.self) { $0.change.examples.map(Example.init) }
        f.text("clearLabel") { "Change it and clear \(NumberWords.counted($0.change.failing, "value", "values"))" }
        f.link("action") { "\(PropertyPaths.property($0.property.id))/change" }
        f.link("backHref") { PropertyPaths.property($0.property.id) }
    }

    private var what: String {
        change.type == property.type
            ? "without the options you took away" : "as “\(change.type.words.lowercased())”"
    }

    private var title: String {
        switch change.stage {
        case .checking: "Looking through the values of “\(property.label)”"
        case .found: "\(NumberWords.counted(change.failing, "value does", "values do")) not fit"
        case .converting: "Changing the values of “\(property.label)”"
        }
    }

    private var message: String {
        switch change.stage {
        case .checking, .converting:
            "This goes on in the background. Reload this page to see how far it is."
        case .found:
            "\(property.object.counted(change.failing)) of \(NumberWords.grouped(change.done)) that have “\(property.label)” "
                + "hold something that cannot be kept \(what)."
        }
    }

    static var previews: [PropertyChangePage] {
        var checking: PropertyChange = PreviewProperties.change
        checking.stage = .checking
        return [
            PropertyChangePage(property: PreviewProperties.plan, change: PreviewProperties.change),
            PropertyChangePage(property: PreviewProperties.plan, change: checking),
        ]
    }
}

/// Properties for the previews of pages.
enum PreviewProperties {
    static let plan: PropertyDefinition = make(
        "plan", "Plan", .singleSelect, group: "Billing",
        options: [PropertyOption(value: "free", label: "Free"), PropertyOption(value: "pro", label: "Professional")])
    static let all: [PropertyDefinition] = [
        make("city", "City", .text), make("bio", "About", .longText), make("orders", "Orders", .number),
        make("value", "Value", .money), make("vip", "Very important", .boolean), make("birthday", "Birthday", .date),
        make("seen", "Last seen", .dateTime), plan,
        make("likes", "Likes", .multiSelect, options: plan.options), make("site", "Website", .url),
    ]
    static let change = PropertyChange(
        type: .number, options: [], stage: .found, done: 120, failing: 3,
        examples: [PropertyChange.Example(value: "many", owner: "Ana Ruiz", reason: "This must be a number, like 12.")])

    private static func make(
        _ name: String, _ label: String, _ type: PropertyType, group: String = "", options: [PropertyOption] = []
    ) -> PropertyDefinition {
        var property: PropertyDefinition = .undeclared(name)
        property.label = label
        property.type = type
        property.group = group
        property.options = options
        return property
    }
}
