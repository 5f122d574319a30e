import Core
import Web

/// Reads clues from JSON: `{userId, externalId, externalSource, externalIds: [{source, value}], email, phone, firstName,
/// lastName, properties}`.
package enum CluesInput {
    package static let memberNames: Set<String> = [
        "userId", "externalId", "externalSource", "externalIds", "email", "phone", "firstName", "lastName",
        "properties",
    ]

    /// Ids of other systems are at most so long.
    static let longestValue: Int = 200
    static let longestSource: Int = 100

    /// Reads an object; whatever does not fit is told by its place below `path`.
    package static func read(
        _ json: [String: JSONValue], at path: String = "", _ errors: inout ValidationErrors
    ) -> PersonClues {
        var reader = Reader(json: json, path: path, errors: errors)
        let clues: PersonClues = reader.clues()
        errors = reader.errors
        return clues
    }

    /// The text as an id, without blanks around it; nil when it cannot be one.
    package static func identifier(_ text: String, longest: Int = longestValue) -> String? {
        let trimmed: String = text.trimmed
        if trimmed.isPlainASCII { return trimmed.isEmpty || trimmed.utf8.count > longest ? nil : trimmed }
        let isClean: Bool = trimmed.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        return !trimmed.isEmpty && trimmed.count <= longest && isClean ? trimmed : nil
    }

    private struct Reader {
        let json: [String: JSONValue]
        let path: String
        var errors: ValidationErrors

        mutating func clues() -> PersonClues {
            for name in json.keys.sorted() where !CluesInput.memberNames.contains(name) {
                errors.add(place(name), "There is no member called “\(name.prefix(60))” here.")
            }
            var clues = PersonClues()
            clues.userID = id("userId")
            clues.externals = externals()
            clues.email = email()
            clues.phone = phone()
            clues.firstName = name("firstName")
            clues.lastName = name("lastName")
            clues.properties = properties()
            return clues
        }

        private func place(_ name: String) -> String { path.isEmpty ? name : "\(path)/\(name)" }

        private mutating func text(_ name: String) -> String? {
            switch json[name] {
            case nil, .null: return nil
            case .string(let text): return text.trimmed.isEmpty ? nil : text
            case .int(let number) where name.hasSuffix("Id"): return String(number)
            default:
                errors.add(place(name), "This must be text.")
                return nil
            }
        }

        private mutating func id(_ name: String) -> String? {
            guard let text = text(name) else { return nil }
            if let id = CluesInput.identifier(text) { return id }
            errors.add(place(name), "An id has at most \(CluesInput.longestValue) characters, without line breaks.")
            return nil
        }

        private mutating func source(_ text: String?, _ name: String) -> String {
            guard let text, !text.trimmed.isEmpty else { return "" }
            if let source = CluesInput.identifier(text, longest: CluesInput.longestSource) { return source }
            errors.add(
                place(name), "A source has at most \(CluesInput.longestSource) characters, without line breaks.")
            return ""
        }

        private mutating func externals() -> [ExternalIdentity] {
            var found: [ExternalIdentity] = []
            if let value = id("externalId") {
                found.append(ExternalIdentity(source: source(text("externalSource"), "externalSource"), value: value))
            }
            switch json["externalIds"] {
            case nil, .null: break
            case .array(let items) where items.count <= 20:
                for (index, item) in items.enumerated() {
                    guard case .object(let members) = item, let value = members["value"]?.stringValue,
                        let id = CluesInput.identifier(value)
                    else {
                        errors.add(place("externalIds/\(index)"), "Give an object with source and value.")
                        continue
                    }
                    let source: String = source(members["source"]?.stringValue, "externalIds/\(index)/source")
                    found.append(ExternalIdentity(source: source, value: id))
                }
            default: errors.add(place("externalIds"), "This must be a list of at most 20 ids.")
            }
            return found
        }

        private mutating func email() -> EmailAddress? {
            guard let text = text("email") else { return nil }
            do throws(EmailAddress.Flaw) {
                return try EmailAddress(parsing: text)
            } catch {
                errors.add(place("email"), error.message)
                return nil
            }
        }

        private mutating func phone() -> PhoneNumber? {
            guard let text = text("phone") else { return nil }
            do throws(PhoneNumber.Flaw) {
                return try PhoneNumber(parsing: text)
            } catch {
                errors.add(place("phone"), error.message)
                return nil
            }
        }

        private mutating func name(_ name: String) -> String? {
            guard let text = text(name)?.trimmed else { return nil }
            let isClean: Bool = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
            if text.count <= 200, isClean { return text }
            errors.add(place(name), "A name has at most 200 characters, without line breaks.")
            return nil
        }

        private mutating func properties() -> [String: JSONValue] {
            switch json["properties"] {
            case nil, .null: return [:]
            case .object(let members):
                return PropertyCatalog.bounded(members, at: place("properties"), &errors)
            default:
                errors.add(place("properties"), "This must be an object.")
                return [:]
            }
        }
    }
}
