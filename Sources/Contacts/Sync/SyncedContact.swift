import Core
import FoundationEssentials
import Web

/// A person as another system tells of them: what is named is to be so, what is left out stays.
package struct SyncedContact: SyncedRecord {
    /// The record in the other system: `sourceType` and `sourceId`.
    package let key: ExternalIdentity
    /// When the other system changed the record; nil: now.
    package let updatedAt: Date?
    /// Whether the record is gone there.
    package let isDeleted: Bool
    var clues = PersonClues()
    var email: ContactInput.Field<EmailAddress> = .unchanged
    var phone: ContactInput.Field<PhoneNumber> = .unchanged
    var firstName: ContactInput.Field<String> = .unchanged
    var lastName: ContactInput.Field<String> = .unchanged
    /// A null takes the property away.
    var properties: [String: JSONValue] = [:]
    var tags: ContactInput.Field<[String]> = .unchanged
    var company: ContactInput.Field<ExternalIdentity> = .unchanged
    var consents: [ConsentDecision] = []

    init(key: ExternalIdentity, updatedAt: Date?, isDeleted: Bool) {
        self.key = key
        self.updatedAt = updatedAt
        self.isDeleted = isDeleted
        clues.externals = [key]
    }
}

/// What became of a record.
package struct SyncOutcome: Sendable, Equatable {
    package enum Status: String, Sendable, Encodable, CaseIterable {
        case created, updated, unchanged, stale, deleted, failed
    }

    package var status: Status
    /// The contact, or the company, that the record stands for.
    package var id: UUID?
    /// What an existing contact was found by.
    package var matchedBy: IdentifierKind?
    /// Other people whom other clues fit.
    package var conflicts: [ContactID] = []
    /// Why it failed, or what of it could not be done.
    package var reason: String?

    /// What is wrong with a record, in one line.
    package static func words(_ errors: ValidationErrors) -> String {
        errors.entries.map { $0.field.isEmpty ? $0.message : "\($0.field): \($0.message)" }.joined(separator: " ")
    }

    package init(_ status: Status, id: UUID? = nil, reason: String? = nil) {
        self.status = status
        self.id = id
        self.reason = reason
    }
}

/// Reads records from JSON.
package struct SyncReader: Sendable {
    let defaultType: String?
    let now: Date

    /// - Parameter defaultType: the `sourceType` of records that name none.
    package init(defaultType: String?, now: Date) {
        self.defaultType = defaultType
        self.now = now
    }

    static let keyMembers: Set<String> = ["sourceType", "sourceId", "updatedAt", "deleted"]

    /// What every record has: its key, its time, and whether it is gone.
    struct Head {
        let key: ExternalIdentity
        let updatedAt: Date?
        let isDeleted: Bool
    }

    func head(_ json: [String: JSONValue], _ errors: inout ValidationErrors) -> Head {
        let type: String? = (json["sourceType"]?.stringValue ?? defaultType).flatMap {
            CluesInput.identifier($0, longest: CluesInput.longestSource)
        }
        if type == nil { errors.add("sourceType", "Name the kind of record, like “serviceflow.customer”.") }
        var id: String?
        if case .int(let number)? = json["sourceId"] { id = String(number) }
        id = id ?? json["sourceId"]?.stringValue.flatMap { CluesInput.identifier($0) }
        if id == nil { errors.add("sourceId", "Give the record's id, up to \(CluesInput.longestValue) characters.") }
        var updatedAt: Date?
        if let value = json["updatedAt"], value != .null {
            updatedAt = value.stringValue.flatMap(ISO8601.parse)
            if updatedAt == nil {
                errors.add("updatedAt", "Give a time with its zone, like 2026-01-15T09:30:00Z.")
            } else if let date = updatedAt, date.timeIntervalSince(now) > 3600 {
                errors.add("updatedAt", "This lies in the future.")
            }
        }
        var isDeleted: Bool = false
        switch json["deleted"] {
        case nil, .null: break
        case .bool(let flag): isDeleted = flag
        default: errors.add("deleted", "This must be true or false.")
        }
        return Head(
            key: ExternalIdentity(source: type ?? "", value: id ?? ""), updatedAt: updatedAt, isDeleted: isDeleted)
    }

    private static let contactMembers: Set<String> = keyMembers.union([
        "email", "phone", "firstName", "lastName", "properties", "tags", "userId", "companySourceType",
        "companySourceId", "consent",
    ])

    /// - Throws: `ValidationErrors` that name the members.
    package func contact(_ value: JSONValue) throws(ValidationErrors) -> SyncedContact {
        guard case .object(let json) = value else { throw ValidationErrors("", "A record is an object.") }
        var errors = ValidationErrors()
        for name in json.keys.filter({ !Self.contactMembers.contains($0) }).sorted() {
            errors.add(name, "There is no member called “\(name.prefix(60))” here.")
        }
        let head: Head = head(json, &errors)
        var contact = SyncedContact(key: head.key, updatedAt: head.updatedAt, isDeleted: head.isDeleted)
        if !head.isDeleted { fill(&contact, json, &errors) }
        try errors.throwIfAny()
        return contact
    }

    private func fill(_ contact: inout SyncedContact, _ json: [String: JSONValue], _ errors: inout ValidationErrors) {
        contact.email = Self.email(Self.text("email", json, &errors), &errors)
        contact.phone = Self.phone(Self.text("phone", json, &errors), &errors)
        contact.firstName = Self.name("firstName", json, &errors)
        contact.lastName = Self.name("lastName", json, &errors)
        if case .set(let email) = contact.email { contact.clues.email = email }
        if case .set(let phone) = contact.phone { contact.clues.phone = phone }
        if case .set(let user) = Self.text("userId", json, &errors) {
            contact.clues.userID = CluesInput.identifier(user)
            if contact.clues.userID == nil { errors.add("userId", "An id has at most 200 characters.") }
        }
        switch json["properties"] {
        case nil, .null: break
        case .object(let members): contact.properties = members
        default: errors.add("properties", "This must be an object.")
        }
        contact.tags = Self.tags(json["tags"], &errors)
        contact.company = company(json, &errors)
        contact.consents = consents(json["consent"], &errors)
    }

    /// `[{channel, granted, purpose?, at?, basis?, wording?}]`.
    private func consents(_ value: JSONValue?, _ errors: inout ValidationErrors) -> [ConsentDecision] {
        switch value {
        case nil, .null: return []
        case .array(let items) where items.count <= 20:
            return items.enumerated().compactMap { index, item in
                guard let channel = item["channel"]?.stringValue.flatMap({ ConsentChannel(rawValue: $0) }),
                    case .bool(let isGranted)? = item["granted"]
                else {
                    errors.add("consent/\(index)", "Name the channel, and whether it was granted.")
                    return nil
                }
                var decision = ConsentDecision(isGranted ? .granted : .withdrawn, channel, source: "sync", by: .contact)
                if let purpose = item["purpose"]?.stringValue.flatMap({ CluesInput.identifier($0, longest: 100) }) {
                    decision.purpose = purpose
                }
                decision.basis = item["basis"]?.stringValue.map { String($0.prefix(100)) }
                decision.wording = item["wording"]?.stringValue.map { String($0.prefix(10_000)) }
                if let text = item["at"]?.stringValue {
                    decision.occurredAt = ISO8601.parse(text)
                    if decision.occurredAt == nil || decision.occurredAt.map({ $0 > now }) == true {
                        errors.add("consent/\(index)/at", "Give a time that has passed, like 2026-01-15T09:30:00Z.")
                    }
                }
                return decision
            }
        default:
            errors.add("consent", "This must be a list of at most 20 decisions.")
            return []
        }
    }

    static func text(
        _ name: String, _ json: [String: JSONValue], _ errors: inout ValidationErrors
    ) -> ContactInput.Field<String> {
        switch json[name] {
        case nil: return .unchanged
        case .null: return .clear
        case .string(let text): return text.trimmed.isEmpty ? .clear : .set(text.trimmed)
        case .int(let number) where name.hasSuffix("Id"): return .set(String(number))
        default:
            errors.add(name, "This must be text.")
            return .unchanged
        }
    }

    static func name(
        _ name: String, longest: Int = 200, _ json: [String: JSONValue], _ errors: inout ValidationErrors
    ) -> ContactInput.Field<String> {
        let field: ContactInput.Field<String> = text(name, json, &errors)
        guard case .set(let text) = field else { return field }
        if CluesInput.identifier(text, longest: longest) != nil { return field }
        errors.add(name, "This has at most \(longest) characters, without line breaks.")
        return .unchanged
    }

    private static func email(
        _ field: ContactInput.Field<String>, _ errors: inout ValidationErrors
    ) -> ContactInput.Field<EmailAddress> {
        switch field {
        case .unchanged: return .unchanged
        case .clear: return .clear
        case .set(let text):
            do throws(EmailAddress.Flaw) {
                return .set(try EmailAddress(parsing: text))
            } catch {
                errors.add("email", error.message)
                return .unchanged
            }
        }
    }

    private static func phone(
        _ field: ContactInput.Field<String>, _ errors: inout ValidationErrors
    ) -> ContactInput.Field<PhoneNumber> {
        switch field {
        case .unchanged: return .unchanged
        case .clear: return .clear
        case .set(let text):
            do throws(PhoneNumber.Flaw) {
                return .set(try PhoneNumber(parsing: text))
            } catch {
                errors.add("phone", error.message)
                return .unchanged
            }
        }
    }

    private static func tags(
        _ value: JSONValue?, _ errors: inout ValidationErrors
    ) -> ContactInput.Field<[String]> {
        switch value {
        case nil: return .unchanged
        case .null: return .clear
        case .array(let items) where items.count <= 100:
            var tags: [String] = []
            for item in items {
                guard let tag = item.stringValue.flatMap({ CluesInput.identifier($0, longest: 60) }) else {
                    errors.add("tags", "A tag is text of at most 60 characters, without line breaks.")
                    return .unchanged
                }
                if !tags.contains(tag) { tags.append(tag) }
            }
            return .set(tags)
        default:
            errors.add("tags", "Tags must be a list of at most 100 texts.")
            return .unchanged
        }
    }

    private func company(
        _ json: [String: JSONValue], _ errors: inout ValidationErrors
    ) -> ContactInput.Field<ExternalIdentity> {
        switch Self.name("companySourceId", json, &errors) {
        case .unchanged: return .unchanged
        case .clear: return .clear
        case .set(let id):
            let type: ContactInput.Field<String> = Self.name("companySourceType", longest: 100, json, &errors)
            guard case .set(let source) = type else {
                errors.add("companySourceType", "Name the kind of record that the company is.")
                return .unchanged
            }
            return .set(ExternalIdentity(source: source, value: id))
        }
    }
}
