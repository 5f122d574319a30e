import Core
import Web

/// What a form or an API call says about a company's fields.
struct CompanyInput: Sendable {
    typealias Field = ContactInput.Field

    var name: Field<String> = .unchanged
    var domain: Field<String> = .unchanged
    var phone: Field<String> = .unchanged
    var website: Field<String> = .unchanged
    var owner: Field<UserID> = .unchanged
    var properties: [String: JSONValue] = [:]
    var keepsOtherProperties: Bool = true
    var isForm: Bool = false

    static let memberNames: Set<String> = ["name", "domain", "phone", "website", "ownerId", "properties"]

    /// Reads the members of a JSON object. Absent members are unchanged, nulls are cleared.
    /// - Parameter isWhole: whether the object stands for the whole company (POST, PUT), so that what is absent is cleared.
    init(json: [String: JSONValue], isWhole: Bool) throws(ValidationErrors) {
        var errors = ValidationErrors()
        for name in json.keys.sorted() where !Self.memberNames.contains(name) {
            errors.add(name, "There is no member called “\(name.prefix(60))” here.")
        }
        func text(_ name: String) -> Field<String> {
            switch json[name] {
            case nil: return isWhole ? .clear : .unchanged
            case .null: return .clear
            case .string(let text): return Field(text.trimmed.isEmpty ? nil : text.trimmed)
            default:
                errors.add(name, "This must be text.")
                return .unchanged
            }
        }
        name = text("name")
        domain = text("domain")
        phone = text("phone")
        website = text("website")
        if case .set(let id) = text("ownerId") {
            if let id = UserID(id) { owner = .set(id) } else { errors.add("ownerId", "There is no such person.") }
        } else if isWhole || json["ownerId"] == .null {
            owner = .clear
        }
        keepsOtherProperties = !isWhole
        switch json["properties"] {
        case nil: break
        case .null: keepsOtherProperties = false
        case .object(let members): properties = members
        default: errors.add("properties", "This must be an object.")
        }
        try errors.throwIfAny()
    }

    /// Reads the edit form: every field is there, blank ones are cleared.
    init(form: FormValues) {
        name = Field(form.optional("name"))
        domain = Field(form.optional("domain"))
        phone = Field(form.optional("phone"))
        website = Field(form.optional("website"))
        owner = Field(form.optional("owner").flatMap { UserID($0) })
        properties = PropertyControl.values(form)
        isForm = true
    }
}

/// A company's fields after they were checked.
struct CompanyValues: Sendable, Equatable {
    var name: String = ""
    var domain: String?
    var phone: String?
    var website: String?
    var ownerID: UserID?
    var properties: [String: JSONValue] = [:]

    /// Applies an input to a company, or to none yet, and checks the outcome.
    /// - Parameter catalog: the properties of companies; unknown ones are declared in it, for the caller to store.
    init(
        _ input: CompanyInput, onto company: Company?, catalog: inout PropertyCatalog
    ) throws(ValidationErrors) {
        var errors = ValidationErrors()
        domain = Self.domain(input.domain.applied(to: company?.domain), &errors)
        name = input.name.applied(to: company?.name)?.trimmed ?? ""
        if name.isEmpty, company == nil, let domain { name = domain }
        if name.isEmpty { errors.add("name", "Give the company a name.") }
        if name.count > 200 { errors.add("name", "The name is longer than 200 characters.") }
        if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            errors.add("name", "The name has a control character in it, like a line break.")
        }
        if let text = input.phone.applied(to: company?.phone) {
            do throws(PhoneNumber.Flaw) { phone = try PhoneNumber(parsing: text).e164 } catch {
                errors.add("phone", error.message)
            }
        }
        if let text = input.website.applied(to: company?.website) {
            let full: String = text.contains("://") ? text : "https://\(text)"
            do throws(PropertyValue.Flaw) {
                website = try PropertyValue(type: .url).normalized(.string(full)).stringValue
            } catch { errors.add("website", error.message) }
        }
        ownerID = input.owner.applied(to: company?.ownerID)
        properties = catalog.settled(
            input.properties, onto: company?.properties, isForm: input.isForm, keepsOthers: input.keepsOtherProperties,
            &errors)
        try errors.throwIfAny()
    }

    private static func domain(_ text: String?, _ errors: inout ValidationErrors) -> String? {
        guard let text, !text.trimmed.isEmpty else { return nil }
        guard let domain = CompanyDomain(text) else {
            errors.add("domain", "This is no domain; write it like example.com.")
            return nil
        }
        if domain.isFreeMail {
            errors.add("domain", "Anybody can have an address at \(domain.text), so it says nothing of a company.")
        }
        return domain.text
    }
}
