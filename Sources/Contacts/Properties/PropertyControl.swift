import Core
import FoundationEssentials
import Templates
import Web

/// One property in a form: the control that fits its type, what stands in it, and what is wrong with it.
struct PropertyControl: ViewRecord {
    let definition: PropertyDefinition
    /// Fit for an `id` attribute: names of properties may have spaces.
    let id: String
    let value: String
    let chosen: Set<String>
    let error: String?
    /// The time zone in which moments are shown and typed.
    let zone: String

    static let fields = Fields<PropertyControl> { f in
        f.text("id") { $0.id }
        f.text("name") { $0.control }
        f.text("label") { $0.definition.label }
        f.text("kind") { $0.kind }
        f.text("type") { $0.inputType }
        f.optionalText("inputmode") { $0.definition.type == .number ? "decimal" : nil }
        f.text("value") { $0.value }
        f.optionalText("zone") { $0.definition.type == .dateTime ? $0.zone : nil }
        f.text("zoneField") { _ in LocalMoment.zoneField }
        f.optionalText("hint") { $0.hint }
        f.optionalText("error") { $0.error }
        f.flag("optional") { !$0.definition.isRequired }
        f.list("options", of: SelectOption.self) { $0.options }
    }

    /// - Parameters:
    ///   - stored: the value that the person or company has.
    ///   - form: what was typed, when the form comes back.
    init(
        _ definition: PropertyDefinition, index: Int, stored: JSONValue?, form: FormValues = FormValues(),
        errors: ValidationErrors = ValidationErrors(), zone: String, prefix: String = "property"
    ) {
        self.definition = definition
        self.zone = zone
        id = "\(prefix)-\(index)"
        error = errors["properties/\(definition.name)"]
        let control: String = Self.control(definition)
        if form.contains(control) {
            value = form.raw(control) ?? ""
            chosen = Set(form.all(control))
        } else {
            let text: String = PropertyFormat.machine(stored)
            value = definition.type == .dateTime ? LocalMoment.field(text, zone: zone) : text
            if case .array(let values)? = stored {
                chosen = Set(values.compactMap(\.stringValue))
            } else {
                chosen = [value]
            }
        }
    }

    private static func control(_ definition: PropertyDefinition) -> String {
        definition.type == .dateTime ? "moment:\(definition.name)" : "property:\(definition.name)"
    }

    private var control: String { Self.control(definition) }

    /// The names and values that an untouched form sends.
    var pairs: [(String, String)] {
        if definition.type == .dateTime { return [(control, value), (LocalMoment.zoneField, zone)] }
        guard definition.type == .multiSelect else { return [(control, value)] }
        let ticked: [PropertyOption] = definition.options.filter { chosen.contains($0.value) }
        return [(control, "")] + ticked.map { (control, $0.value) }
    }

    private var kind: String {
        switch definition.type {
        case .longText: "textarea"
        case .boolean, .singleSelect: "select"
        case .multiSelect: "choices"
        default: "input"
        }
    }

    private var inputType: String {
        switch definition.type {
        case .date: "date"
        case .dateTime: "datetime-local"
        case .url: "url"
        default: "text"
        }
    }

    private var hint: String? {
        let format: String? =
            switch definition.type {
            case .money: "An amount and its currency, like 12.50 EUR."
            case .dateTime: "In the time of \(zone.replacing("_", with: " "))."
            default: nil
            }
        let parts: [String] = [definition.description.isEmpty ? nil : definition.description, format].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    private var options: [SelectOption] {
        switch definition.type {
        case .boolean:
            return [("", "Not said"), ("true", "Yes"), ("false", "No")].map { value, label in
                SelectOption(value: value, label: label, selected: value == self.value)
            }
        case .singleSelect, .multiSelect:
            var options: [SelectOption] = definition.options.map {
                SelectOption(value: $0.value, label: $0.label, selected: chosen.contains($0.value))
            }
            if definition.type == .singleSelect {
                options.insert(SelectOption(value: "", label: "Nothing chosen", selected: value.isEmpty), at: 0)
                let isKnown: Bool = value.isEmpty || definition.options.contains { $0.value == value }
                if !isKnown { options.append(SelectOption(value: value, label: value, selected: true)) }
            }
            return options
        default: return []
        }
    }

    // MARK: Reading forms

    /// The values of a form: `property:<name>`, several for a choice of many (with a blank one, so that none chosen says
    /// so), `moment:<name>` for moments in the zone that the form names. A moment that stands as the form showed it is left
    /// out: it need not be what it was when it is read back, as in the hour that comes twice.
    static func values(_ form: FormValues) -> [String: JSONValue] {
        var values: [String: JSONValue] = [:]
        let zone: String = form.optional(LocalMoment.zoneField) ?? "UTC"
        let base = FormValues(urlEncoded: form.raw("base") ?? "")
        for name in form.names {
            if name.hasPrefix("property:") {
                let all: [String] = form.all(name)
                let texts: [String] = all.filter { !$0.trimmed.isEmpty }
                let key = String(name.dropFirst(9))
                if texts.isEmpty {
                    values[key] = .null
                } else {
                    values[key] = all.count > 1 ? .array(texts.map(JSONValue.string)) : .string(texts[0])
                }
            } else if name.hasPrefix("moment:"), !base.contains(name) || base.raw(name) != form.raw(name) {
                values[String(name.dropFirst(7))] =
                    form.optional(name).map { .string(LocalMoment.utc($0, zone: zone)) } ?? .null
            }
        }
        return values
    }
}

/// The properties under one heading of a form.
struct PropertyControlGroup: ViewRecord {
    let title: String
    let controls: [PropertyControl]

    static let fields = Fields<PropertyControlGroup> { f in
        f.text("title") { $0.title }
        f.list("controls", of: PropertyControl.self) { $0.controls }
    }

    /// All properties in their groups, then what is stored under names that nobody declared.
    static func groups(
        _ definitions: [PropertyDefinition], stored: [String: JSONValue], form: FormValues = FormValues(),
        errors: ValidationErrors = ValidationErrors(), zone: String
    ) -> [PropertyControlGroup] {
        var groups: [(String, [PropertyControl])] = []
        for (index, definition) in (definitions + undeclared(definitions, stored)).enumerated() {
            let control = PropertyControl(
                definition, index: index, stored: stored[definition.name], form: form, errors: errors, zone: zone)
            if let place = groups.firstIndex(where: { $0.0 == definition.group }) {
                groups[place].1.append(control)
            } else {
                groups.append((definition.group, [control]))
            }
        }
        return groups.map { PropertyControlGroup(title: $0.0.isEmpty ? "Properties" : $0.0, controls: $0.1) }
    }

    /// What a person has under names without a definition, as texts.
    static func undeclared(
        _ definitions: [PropertyDefinition], _ stored: [String: JSONValue]
    ) -> [PropertyDefinition] {
        let known: Set<String> = Set(definitions.map(\.name))
        return stored.keys.filter { !known.contains($0) }.sorted().map { .undeclared($0) }
    }
}

extension PropertyDefinition {
    /// Stands in for a name that has no definition.
    static func undeclared(_ name: String, _ object: PropertyObject = .contact) -> PropertyDefinition {
        PropertyDefinition(
            id: PropertyID(PreviewPeople.run.uuid), object: object, name: name, label: name, type: .text, group: "",
            position: 0, isRequired: false, defaultValue: .null, description: "", options: [], speed: .normal,
            createdAt: PreviewPeople.day, updatedAt: PreviewPeople.day, version: 1, change: nil)
    }
}

extension ErrorSummaryItem {
    /// The lines above a form with properties; each leads to its control. The controls are not made where nothing is wrong.
    static func items(
        _ errors: ValidationErrors, _ groups: @autoclosure () -> [PropertyControlGroup]
    ) -> [ErrorSummaryItem] {
        guard !errors.isEmpty else { return [] }
        let controls: [PropertyControl] = groups().flatMap(\.controls)
        return errors.entries.map { entry in
            let control: PropertyControl? = controls.first { "properties/\($0.definition.name)" == entry.field }
            return ErrorSummaryItem(message: entry.message, href: "#\(control?.id ?? entry.field)")
        }
    }
}
