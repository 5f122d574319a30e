import Core
import Web

/// What a form or an API call says of a property.
struct PropertyInput: Sendable {
    var object: PropertyObject = .contact
    /// Nil: made from the label.
    var name: String?
    var label: String = ""
    var type: PropertyType = .text
    var group: String = ""
    var position: Int?
    var isRequired: Bool = false
    var defaultValue: JSONValue = .null
    var description: String = ""
    /// Blank values are made from the labels.
    var options: [PropertyOption] = []
    /// Nil: stays as it is.
    var isFast: Bool?

    static let memberNames: Set<String> = [
        "object", "name", "label", "type", "group", "position", "required", "default", "description", "options", "fast",
    ]

    // MARK: From JSON

    init(json: [String: JSONValue]) throws(ValidationErrors) {
        var errors = ValidationErrors()
        for name in json.keys.sorted() where !Self.memberNames.contains(name) {
            errors.add(name, "There is no member called “\(name.prefix(60))” here.")
        }
        func text(_ name: String) -> String? {
            switch json[name] {
            case nil, .null: return nil
            case .string(let text)?: return text
            default:
                errors.add(name, "This must be text.")
                return nil
            }
        }
        func flag(_ name: String) -> Bool? {
            switch json[name] {
            case nil, .null: return nil
            case .bool(let flag)?: return flag
            default:
                errors.add(name, "This must be true or false.")
                return nil
            }
        }
        name = text("name")
        label = text("label") ?? name ?? ""
        if let given = text("object") {
            if let known = PropertyObject(rawValue: given) {
                object = known
            } else {
                errors.add("object", "This must be contact or company.")
            }
        }
        if let given = text("type") {
            if let known = PropertyType(rawValue: given) {
                type = known
            } else {
                errors.add(
                    "type", "This must be one of \(PropertyType.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
        }
        group = text("group") ?? ""
        description = text("description") ?? ""
        isRequired = flag("required") ?? false
        isFast = flag("fast")
        defaultValue = json["default"] ?? .null
        switch json["position"] {
        case nil, .null: break
        case .int(let number)? where (0...100_000).contains(number): position = number
        default: errors.add("position", "This must be a whole number from 0 to 100000.")
        }
        readOptions(json["options"], &errors)
        try errors.throwIfAny()
    }

    private mutating func readOptions(_ value: JSONValue?, _ errors: inout ValidationErrors) {
        guard let value, value != .null else { return }
        guard case .array(let items) = value, items.count <= 1000 else {
            errors.add("options", "This must be a list of at most 1000 options.")
            return
        }
        for (index, item) in items.enumerated() {
            if let text = item.stringValue {
                options.append(PropertyOption(value: text, label: text))
            } else if case .object(let members) = item, let label = (members["label"] ?? members["value"])?.stringValue
            {
                options.append(PropertyOption(value: members["value"]?.stringValue ?? "", label: label))
            } else {
                errors.add("options/\(index)", "An option is a text, or has a value and a label.")
            }
        }
    }

    // MARK: From a form

    /// Options come as lines: `optionValue` (blank for a new one) beside `optionLabel`; a blank label takes it away.
    init(form: FormValues) {
        object = PropertyObject(rawValue: form.text("object")) ?? .contact
        name = form.optional("name")
        label = form.text("label")
        type = PropertyType(rawValue: form.text("type")) ?? .text
        group = form.text("group")
        position = form.integer("position")
        isRequired = form.flag("required")
        defaultValue = form.optional("default").map(JSONValue.string) ?? .null
        description = form.text("description")
        for (value, label) in zip(form.all("optionValue"), form.all("optionLabel")) where !label.trimmed.isEmpty {
            options.append(PropertyOption(value: value, label: label))
        }
    }

    // MARK: Checking

    /// The input with everything in place; what is wrong is named by its field.
    func checked() throws(ValidationErrors) -> PropertyInput {
        var errors = ValidationErrors()
        var input = self
        input.label = Self.line(label, "label", "label", limit: 100, &errors)
        if input.label.isEmpty { errors.add("label", "Give it a name that people read.") }
        input.group = Self.line(group, "group", "group", limit: 60, &errors)
        input.description = Self.line(description, "description", "description", limit: 500, &errors)
        if let name {
            input.name = PropertyName(name)?.text
            if input.name == nil {
                errors.add("name", "A property's name has 1 to 60 characters, without line breaks.")
            }
        } else {
            input.name = PropertyName(heading: input.label)?.text ?? PropertyName(input.label)?.text
            if input.name == nil, !input.label.isEmpty {
                errors.add("name", "Give it a name for templates and the API.")
            }
        }
        let hasOptions: Bool = type == .singleSelect || type == .multiSelect
        input.options = hasOptions ? Self.options(options, &errors) : []
        if hasOptions || defaultValue == .null {
            try errors.throwIfAny()
        }
        do throws(PropertyValue.Flaw) {
            input.defaultValue = try PropertyValue(type: type, options: input.options).normalized(defaultValue)
        } catch {
            errors.add("default", error.message)
        }
        try errors.throwIfAny()
        return input
    }

    private static func line(
        _ text: String, _ field: String, _ words: String, limit: Int, _ errors: inout ValidationErrors
    ) -> String {
        let line: String = text.trimmed
        if line.count > limit { errors.add(field, "The \(words) is longer than \(limit) characters.") }
        if line.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            errors.add(field, "The \(words) has a control character in it, like a line break.")
        }
        return line
    }

    /// Options with values of their own, each once.
    private static func options(_ given: [PropertyOption], _ errors: inout ValidationErrors) -> [PropertyOption] {
        var options: [PropertyOption] = []
        var taken: Set<String> = Set(given.map(\.value).filter { !$0.isEmpty })
        var labels: Set<String> = []
        for option in given {
            let label: String = line(option.label, "options", "option", limit: 100, &errors)
            if label.isEmpty { continue }
            if !labels.insert(label.lowercased()).inserted {
                errors.add("options", "Two options are called “\(label)”.")
            }
            var value: String = line(option.value, "options", "option", limit: 100, &errors)
            if value.isEmpty {
                value = PropertyName(heading: label)?.text ?? label
                var number: Int = 2
                while taken.contains(value) {
                    value = "\(PropertyName(heading: label)?.text ?? label)_\(number)"
                    number += 1
                }
                taken.insert(value)
            } else if options.contains(where: { $0.value == value }) {
                errors.add("options", "Two options have the value “\(value)”.")
            }
            options.append(PropertyOption(value: value, label: label))
        }
        if options.isEmpty { errors.add("options", "Give at least one option.") }
        if options.count > 1000 { errors.add("options", "A property has at most 1000 options.") }
        return options
    }
}
