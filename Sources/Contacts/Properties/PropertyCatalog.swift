import Core
import FoundationEssentials
import Postgres
import Web

/// The properties that people or companies can have, and the one way in which values come in: known ones are brought
/// into the form of their type, unknown ones are declared on the way.
///
/// Load it once per request or batch, `take` values as often as needed, and run `declaration` in the transaction that
/// stores them.
package struct PropertyCatalog: Sendable {
    package let object: PropertyObject
    package private(set) var definitions: [String: PropertyDefinition] = [:]
    private var declared: [PropertyDefinition] = []
    private let ids: IdentifierSource
    private let now: Date

    /// Properties that a workspace can have per kind.
    package static let limit: Int = 500

    package init(
        _ object: PropertyObject, _ definitions: [PropertyDefinition], ids: IdentifierSource, at now: Date
    ) {
        self.object = object
        self.ids = ids
        self.now = now
        for definition in definitions { self.definitions[definition.name] = definition }
    }

    package static func load(
        _ object: PropertyObject, _ scope: WorkspaceScope, ids: IdentifierSource, at now: Date,
        in session: some PostgresSession
    ) async throws -> PropertyCatalog {
        let found = try await PropertyQueries(scope: scope).all(object, in: session)
        return PropertyCatalog(object, found, ids: ids, at: now)
    }

    /// The properties as they are stored; nulls say that a value goes away. What does not fit becomes an error of the
    /// field `properties/<name>`.
    package mutating func take(
        _ properties: [String: JSONValue], _ errors: inout ValidationErrors
    ) -> [String: JSONValue] {
        var taken: [String: JSONValue] = [:]
        taken.reserveCapacity(properties.count)
        for (given, value) in properties {
            guard let name = PropertyName(given)?.text else {
                errors.add("properties", "A property's name has 1 to 60 characters, without line breaks.")
                continue
            }
            if case .null = value {
                taken[name] = .null
                continue
            }
            do throws(PropertyValue.Flaw) {
                taken[name] = try definition(name, for: value).value.normalized(value)
            } catch {
                errors.add("properties/\(name)", "\(definitions[name]?.label ?? name): \(error.message)")
            }
        }
        return taken
    }

    /// The definition of a name; an unknown one is declared with the type that the value tells.
    private mutating func definition(
        _ name: String, for value: JSONValue
    ) throws(PropertyValue.Flaw) -> PropertyDefinition {
        if let known = definitions[name] { return known }
        guard let (type, options) = PropertyGuess.type(of: value) else {
            throw PropertyValue.Flaw(
                message: "A property holds a text, a number, yes or no, an amount, or a list of texts.")
        }
        return try declare(name, type, options: options)
    }

    /// Declares a property, unless its name is known.
    @discardableResult
    package mutating func declare(
        _ name: String, _ type: PropertyType, options: [PropertyOption] = [], label: String? = nil
    ) throws(PropertyValue.Flaw) -> PropertyDefinition {
        if let known = definitions[name] { return known }
        guard definitions.count < Self.limit else {
            throw PropertyValue.Flaw(message: "There are \(Self.limit) properties already; this would be one more.")
        }
        let definition = PropertyDefinition(
            id: ids.next(), object: object, name: name, label: label ?? Self.label(name), type: type, group: "",
            position: 0, isRequired: false, defaultValue: .null, description: "", options: options, speed: .normal,
            createdAt: now, updatedAt: now, version: 1, change: nil)
        definitions[name] = definition
        declared.append(definition)
        return definition
    }

    /// `last_order_date` → `Last order date`; names with spaces or capitals stay.
    static func label(_ name: String) -> String {
        let isPlain: Bool = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
        guard isPlain else { return name }
        let words: String = name.split(separator: "_").joined(separator: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    /// Stores what was declared on the way; nothing when nothing was. A name that somebody else declared at the same
    /// moment keeps their definition.
    /// - Parameter names: only these are stored; nil: all.
    package func declaration(_ scope: WorkspaceScope, among names: Set<String>? = nil) -> [Statement] {
        let wanted: [PropertyDefinition] = declared.filter { names?.contains($0.name) ?? true }
        return wanted.isEmpty ? [] : [Self.insert(wanted, scope, ifAbsent: true)]
    }

    /// Declares the names of values that are stored without a catalog; those that are known stay as they are.
    static func declaration(
        of samples: [String: JSONValue], _ object: PropertyObject, _ scope: WorkspaceScope, ids: IdentifierSource,
        at now: Date
    ) -> [Statement] {
        var catalog = PropertyCatalog(object, [], ids: ids, at: now)
        var ignored = ValidationErrors()
        _ = catalog.take(samples, &ignored)
        return catalog.declaration(scope)
    }

    /// Values whose definitions are not at hand yet, bounded in name and size so that they can wait for them.
    /// - Parameter place: where the properties stand in the input.
    static func bounded(
        _ properties: [String: JSONValue], at place: String = "properties", _ errors: inout ValidationErrors
    ) -> [String: JSONValue] {
        var taken: [String: JSONValue] = [:]
        for (given, value) in properties where value != .null {
            guard let name = PropertyName(given)?.text else {
                errors.add(place, "A property's name has 1 to 60 characters, without line breaks.")
                continue
            }
            if size(of: value) > 64 * 1024 || hasNUL(value) {
                errors.add("\(place)/\(name)", "The value of “\(name)” is longer than 64 KB or has a NUL in it.")
            }
            taken[name] = value
        }
        if taken.count > limit { errors.add(place, "A contact has at most \(limit) properties.") }
        return taken
    }

    private static func size(of value: JSONValue) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .array(let values): values.reduce(0) { $0 + size(of: $1) }
        case .object(let members): members.reduce(0) { $0 + $1.key.utf8.count + size(of: $1.value) }
        default: 8
        }
    }

    private static func hasNUL(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text): text.utf8.contains(0)
        case .array(let values): values.contains(where: hasNUL)
        case .object(let members): members.contains { $0.key.utf8.contains(0) || hasNUL($0.value) }
        default: false
        }
    }

    static func insert(_ list: [PropertyDefinition], _ scope: WorkspaceScope, ifAbsent: Bool) -> Statement {
        let conflict: SQL = ifAbsent ? " ON CONFLICT (workspace_id, object, name) DO NOTHING" : ""
        return Statement(
            "contacts.properties.declare",
            """
            INSERT INTO marketing_property_definitions (
                workspace_id, id, object, name, label, type, group_name, position, required, default_value, description,
                options, created_at, updated_at)
            SELECT \(scope.workspace), n.id, n.object, n.name, n.label, n.type, n.group_name, n.position, n.required,
                nullif(n.default_value, 'null'), n.description, n.options, n.created_at, n.updated_at
            FROM unnest(
                \(list.map(\.id)), \(list.map(\.object.rawValue)), \(list.map(\.name)), \(list.map(\.label)),
                \(list.map(\.type.rawValue)), \(list.map(\.group)), \(list.map(\.position)), \(list.map(\.isRequired)),
                \(list.map(\.defaultValue)), \(list.map(\.description)),
                \(list.map { JSONB($0.options) }), \(list.map(\.createdAt)), \(list.map(\.updatedAt))
            ) AS n(id, object, name, label, type, group_name, position, required, default_value, description, options,
                created_at, updated_at)\(conflict)
            """)
    }

    /// All properties of a person or a company after somebody changed some: the one way for forms and the API.
    /// - Parameters:
    ///   - given: the new values; nulls take away.
    ///   - old: what is stored; nil for somebody new, who gets the defaults.
    ///   - isForm: whether `given` is a form with every property in it, so that what reads like the stored value stays.
    ///   - keepsOthers: whether properties that are not named stay.
    mutating func settled(
        _ given: [String: JSONValue], onto old: [String: JSONValue]?, isForm: Bool, keepsOthers: Bool,
        _ errors: inout ValidationErrors
    ) -> [String: JSONValue] {
        var given: [String: JSONValue] = given
        if isForm, let old {
            given = given.filter { name, value in PropertyFormat.machine(value) != PropertyFormat.machine(old[name]) }
        }
        var settled: [String: JSONValue] = old.map { keepsOthers ? $0 : [:] } ?? defaults
        let taken: [String: JSONValue] = take(given, &errors)
        for (name, value) in taken { settled[name] = value == .null ? nil : value }
        if settled.count > Self.limit {
            errors.add("properties", "A \(object.rawValue) has at most \(Self.limit) properties.")
        }
        require(settled, &errors, among: old != nil && keepsOthers ? Set(taken.keys) : nil)
        return settled
    }

    // MARK: New people

    /// What people get who bring no value of their own.
    package var defaults: [String: JSONValue] {
        definitions.values.reduce(into: [:]) { defaults, definition in
            if definition.defaultValue != .null { defaults[definition.name] = definition.defaultValue }
        }
    }

    /// Complains of required properties that are blank.
    /// - Parameter names: only these are looked at; nil: all.
    package func require(
        _ properties: [String: JSONValue], _ errors: inout ValidationErrors, among names: Set<String>? = nil
    ) {
        for definition in definitions.values.sorted(by: { $0.name < $1.name }) where definition.isRequired {
            if let names, !names.contains(definition.name) { continue }
            let value: JSONValue = properties[definition.name] ?? .null
            if value == .null, errors["properties/\(definition.name)"] == nil {
                errors.add("properties/\(definition.name)", "\(definition.label): This is required.")
            }
        }
    }
}
