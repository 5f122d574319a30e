import Core
import Web

/// What a form or an API call says about a person's fields.
struct ContactInput: Sendable {
    enum Field<Value: Sendable>: Sendable {
        case unchanged
        case clear
        case set(Value)

        init(_ value: Value?) {
            self = value.map(Field.set) ?? .clear
        }

        func applied(to old: Value?) -> Value? {
            switch self {
            case .unchanged: old
            case .clear: nil
            case .set(let value): value
            }
        }
    }

    var email: Field<String> = .unchanged
    var phone: Field<String> = .unchanged
    var firstName: Field<String> = .unchanged
    var lastName: Field<String> = .unchanged
    /// Properties by name; a null takes the property away.
    var properties: [String: JSONValue] = [:]
    /// Whether properties that are not named stay.
    var keepsOtherProperties: Bool = true
    var tags: Field<[String]> = .unchanged
    var emailStatus: EmailStatus?
    var trackingAllowed: Bool?
    var consentBasis: Field<String> = .unchanged
    var company: Field<CompanyID> = .unchanged
    /// A form shows every property; what comes back as it was shown is left alone, even if it is of an earlier type.
    var isForm: Bool = false
}

// From JSON.
extension ContactInput {
    static let memberNames: Set<String> = [
        "email", "phone", "firstName", "lastName", "properties", "tags", "emailStatus", "trackingAllowed",
        "consentBasis", "companyId",
    ]

    /// Reads the members of a JSON object. Absent members are unchanged, nulls are cleared.
    /// - Parameter isWhole: whether the object stands for the whole person (POST, PUT), so that what is absent is cleared.
    init(json: [String: JSONValue], isWhole: Bool) throws(ValidationErrors) {
        var errors = ValidationErrors()
        for name in json.keys.sorted() where !Self.memberNames.contains(name) {
            errors.add(name, "There is no member called “\(name.prefix(60))” here.")
        }
        func text(_ name: String) -> Field<String> {
            switch json[name] {
            case nil: return isWhole ? .clear : .unchanged
            case .null: return .clear
            case .string(let text): return Field(text.trimmed.isEmpty ? nil : text)
            default:
                errors.add(name, "This must be text.")
                return .unchanged
            }
        }
        email = text("email")
        phone = text("phone")
        firstName = text("firstName")
        lastName = text("lastName")
        consentBasis = isWhole && json["consentBasis"] == nil ? .unchanged : text("consentBasis")
        readCompany(json["companyId"], isWhole, &errors)
        keepsOtherProperties = !isWhole
        switch json["properties"] {
        case nil: break
        case .null: keepsOtherProperties = false
        case .object(let members): properties = members
        default: errors.add("properties", "This must be an object.")
        }
        readTags(json["tags"], isWhole, &errors)
        readFlags(json, &errors)
        try errors.throwIfAny()
    }

    private mutating func readTags(_ value: JSONValue?, _ isWhole: Bool, _ errors: inout ValidationErrors) {
        switch value {
        case nil: if isWhole { tags = .clear }
        case .null: tags = .clear
        case .array(let values):
            let texts: [String] = values.compactMap(\.stringValue)
            if texts.count != values.count { errors.add("tags", "Tags must be a list of texts.") }
            tags = .set(texts)
        default: errors.add("tags", "Tags must be a list of texts.")
        }
    }

    private mutating func readCompany(_ value: JSONValue?, _ isWhole: Bool, _ errors: inout ValidationErrors) {
        switch value {
        case nil: if isWhole { company = .clear }
        case .null: company = .clear
        default:
            if let id = value?.stringValue.flatMap({ CompanyID($0) }) {
                company = .set(id)
            } else {
                errors.add("companyId", "There is no such company.")
            }
        }
    }

    private mutating func readFlags(_ json: [String: JSONValue], _ errors: inout ValidationErrors) {
        if let value = json["emailStatus"], value != .null {
            emailStatus = value.stringValue.flatMap(EmailStatus.init)
            if emailStatus == nil {
                let known: String = EmailStatus.allCases.map(\.rawValue).joined(separator: ", ")
                errors.add("emailStatus", "This must be one of \(known).")
            }
        }
        switch json["trackingAllowed"] {
        case nil, .null: break
        case .bool(let allowed): trackingAllowed = allowed
        default: errors.add("trackingAllowed", "This must be true or false.")
        }
    }
}

// From a form.
extension ContactInput {
    /// Reads the edit form: every field is there, blank ones are cleared.
    init(form: FormValues) {
        isForm = true
        email = Field(form.optional("email"))
        phone = Field(form.optional("phone"))
        firstName = Field(form.optional("firstName"))
        lastName = Field(form.optional("lastName"))
        tags = .set(Self.tags(in: form.text("tags")))
        emailStatus = form.optional("emailStatus").flatMap(EmailStatus.init)
        properties = PropertyControl.values(form)
        if let name = form.optional("newPropertyName") {
            properties[name] = form.optional("newPropertyValue").map(JSONValue.string) ?? .null
        }
        if form.contains("company") {
            company = form.optional("company").flatMap { CompanyID($0) }.map { .set($0) } ?? .clear
        }
        if form.names.contains("trackingShown") { trackingAllowed = form.flag("trackingAllowed") }
    }

    /// Tags as people type them: separated by commas, each once.
    static func tags(in text: String) -> [String] {
        text.split(whereSeparator: { $0 == "," || $0 == ";" }).map(\.trimmed).filter { !$0.isEmpty }
    }
}

/// A person's fields after they were checked.
struct ContactValues: Sendable, Equatable {
    var email: EmailAddress?
    var phone: PhoneNumber?
    var firstName: String?
    var lastName: String?
    var properties: [String: JSONValue] = [:]
    var tags: [String] = []
    var emailStatus: EmailStatus = .active
    var trackingAllowed: Bool = true
    var consentBasis: String?
    var companyID: CompanyID?

    /// What is stored as the address: as it was typed.
    var emailText: String? { email?.description }

    /// Applies an input to a person, or to nobody yet, and checks the outcome.
    /// - Parameter catalog: the properties of contacts; unknown ones are declared in it, for the caller to store.
    init(
        _ input: ContactInput, onto contact: Contact?, region: String? = nil, catalog: inout PropertyCatalog
    ) throws(ValidationErrors) {
        var errors = ValidationErrors()
        email = Self.email(input.email, contact?.email, &errors)
        phone = Self.phone(input.phone, contact?.phone, region, &errors)
        firstName = Self.name(input.firstName.applied(to: contact?.firstName), "firstName", "first name", &errors)
        lastName = Self.name(input.lastName.applied(to: contact?.lastName), "lastName", "last name", &errors)
        properties = catalog.settled(
            input.properties, onto: contact?.properties, isForm: input.isForm, keepsOthers: input.keepsOtherProperties,
            &errors)
        tags = Self.tags(input.tags.applied(to: contact?.tags) ?? [], &errors)
        emailStatus = input.emailStatus ?? contact?.emailStatus ?? .active
        trackingAllowed = input.trackingAllowed ?? contact?.trackingAllowed ?? true
        consentBasis = input.consentBasis.applied(to: contact?.consentBasis).map { String($0.prefix(100)) }
        companyID = input.company.applied(to: contact?.companyID)
        if errors.isEmpty, email == nil, phone == nil {
            errors.add("email", "Give an e-mail address or a phone number.")
        }
        try errors.throwIfAny()
    }

    private static func email(
        _ field: ContactInput.Field<String>, _ old: String?, _ errors: inout ValidationErrors
    ) -> EmailAddress? {
        guard let text = field.applied(to: old) else { return nil }
        do throws(EmailAddress.Flaw) {
            return try EmailAddress(parsing: text)
        } catch {
            errors.add("email", error.message)
            return nil
        }
    }

    private static func phone(
        _ field: ContactInput.Field<String>, _ old: String?, _ region: String?, _ errors: inout ValidationErrors
    ) -> PhoneNumber? {
        guard let text = field.applied(to: old) else { return nil }
        do throws(PhoneNumber.Flaw) {
            return try PhoneNumber(parsing: text, defaultRegion: region)
        } catch {
            errors.add("phone", error.message)
            return nil
        }
    }

    private static func name(
        _ text: String?, _ field: String, _ words: String, _ errors: inout ValidationErrors
    ) -> String? {
        guard let trimmed = text?.trimmed, !trimmed.isEmpty else { return nil }
        if trimmed.count > 200 { errors.add(field, "The \(words) is longer than 200 characters.") }
        if !trimmed.isOneLine {
            errors.add(field, "The \(words) has a control character in it, like a line break.")
        }
        return trimmed
    }

    private static func tags(_ texts: [String], _ errors: inout ValidationErrors) -> [String] {
        var tags: [String] = []
        for text in texts {
            let tag: String = text.trimmed
            if tag.isEmpty || tags.contains(tag) { continue }
            if tag.count > 60 || !tag.isOneLine {
                errors.add("tags", "A tag has at most 60 characters, without line breaks.")
                continue
            }
            tags.append(tag)
        }
        if tags.count > 100 { errors.add("tags", "A contact has at most 100 tags.") }
        return tags
    }
}
