import Contacts
import Core
import FoundationEssentials
import Web

/// Reads events from JSON: `{id?, name, contact: {id | email | externalId | userId}, properties?, occurredAt?}`.
package struct ActivityInput: Sendable {
    let now: Date
    let source: String

    /// - Parameter source: which way they come.
    package init(now: Date, source: String) {
        self.now = now
        self.source = source
    }

    /// The events of a body, each read or refused: one event, `{"events": […]}` or a list.
    /// - Throws: `ValidationErrors` for a body that is none of these, or with too many.
    package func events(in body: JSONValue) throws -> [Result<ActivityEvent, ValidationErrors>] {
        switch body {
        case .array(let items): return try read(items)
        case .object(let members):
            guard let inner = members["events"] else { return [event(members)] }
            guard case .array(let items) = inner, members.count == 1 else {
                throw ValidationErrors("events", "This must be a list of events, and nothing else beside it.")
            }
            return try read(items)
        default: throw WebError.badRequest("Send an event, or a list of events.", code: "malformed_json")
        }
    }

    private func read(_ items: [JSONValue]) throws(ValidationErrors) -> [Result<ActivityEvent, ValidationErrors>] {
        guard (1...ActivityLimits.batch).contains(items.count) else {
            throw ValidationErrors("events", "Send 1 to \(ActivityLimits.batch) events at once.")
        }
        return items.map { item in
            guard case .object(let members) = item else {
                return .failure(ValidationErrors("", "An event is an object."))
            }
            return event(members)
        }
    }

    private static let memberNames: Set<String> = ["id", "name", "contact", "properties", "occurredAt"]

    private func event(_ json: [String: JSONValue]) -> Result<ActivityEvent, ValidationErrors> {
        var errors = ValidationErrors()
        for name in json.keys.sorted() where !Self.memberNames.contains(name) {
            errors.add(name, "There is no member called “\(name.prefix(60))” here.")
        }
        let key: String? = key(json["id"], &errors)
        let name: String = name(json["name"], &errors)
        let person: ActivityEvent.Person? = person(json["contact"], &errors)
        let properties: [String: JSONValue] = properties(json["properties"], &errors)
        let occurredAt: Date = time(json["occurredAt"], &errors)
        guard errors.isEmpty, let person else { return .failure(errors) }
        return .success(
            ActivityEvent(
                key: key, name: name, person: person, properties: properties, occurredAt: occurredAt, source: source))
    }

    private func key(_ value: JSONValue?, _ errors: inout ValidationErrors) -> String? {
        switch value {
        case nil, .null: return nil
        case .int(let number): return String(number)
        case .string(let text):
            if let key = CluesInput.identifier(text, longest: ActivityLimits.key) { return key }
            fallthrough
        default:
            errors.add("id", "An id is text of 1 to \(ActivityLimits.key) characters, without line breaks.")
            return nil
        }
    }

    private func name(_ value: JSONValue?, _ errors: inout ValidationErrors) -> String {
        let name: String? = value?.stringValue.flatMap {
            CluesInput.identifier($0, longest: ActivityLimits.name)
        }
        if let name { return name }
        errors.add("name", "A name has 1 to \(ActivityLimits.name) characters, without line breaks.")
        return ""
    }

    private func person(_ value: JSONValue?, _ errors: inout ValidationErrors) -> ActivityEvent.Person? {
        guard case .object(var members)? = value else {
            errors.add("contact", "Say whose event it is: an object with id, email, externalId or userId.")
            return nil
        }
        if let id = members.removeValue(forKey: "id") {
            guard members.isEmpty, let contact = id.stringValue.flatMap({ ContactID($0) }) else {
                errors.add("contact/id", "This must be a contact's id, and nothing else beside it.")
                return nil
            }
            return .contact(contact)
        }
        let clues: PersonClues = CluesInput.read(members, at: "contact", &errors)
        if errors.isEmpty, clues.isEmpty {
            errors.add("contact", "Say whose event it is: id, email, externalId or userId.")
        }
        return .clues(clues)
    }

    private func properties(_ value: JSONValue?, _ errors: inout ValidationErrors) -> [String: JSONValue] {
        switch value {
        case nil, .null: return [:]
        case .object(let members):
            if members.count > ActivityLimits.properties {
                errors.add("properties", "An event has at most \(ActivityLimits.properties) properties.")
            }
            if members.keys.contains(where: { $0.isEmpty || $0.count > 60 }) {
                errors.add("properties", "A property's name has 1 to 60 characters.")
            }
            if Self.size(.object(members)) > ActivityLimits.bytes {
                errors.add("properties", "The properties are larger than \(ActivityLimits.bytes / 1024) KB.")
            }
            return members
        default:
            errors.add("properties", "This must be an object.")
            return [:]
        }
    }

    private static func size(_ value: JSONValue) -> Int {
        switch value {
        case .string(let text): text.utf8.count + 2
        case .array(let values): values.reduce(2) { $0 + size($1) + 1 }
        case .object(let members): members.reduce(2) { $0 + $1.key.utf8.count + 4 + size($1.value) }
        default: 8
        }
    }

    private func time(_ value: JSONValue?, _ errors: inout ValidationErrors) -> Date {
        guard let value, value != .null else { return now }
        guard let date = value.stringValue.flatMap(ISO8601.parse) else {
            errors.add("occurredAt", "Give a time with its zone, like 2026-01-15T09:30:00Z.")
            return now
        }
        if date.timeIntervalSince(now) > ActivityLimits.skew {
            errors.add("occurredAt", "This lies in the future.")
        } else if now.timeIntervalSince(date) > ActivityLimits.oldest {
            errors.add("occurredAt", "This is more than two years ago.")
        }
        return date
    }
}
