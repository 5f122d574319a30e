import Core
import FoundationEssentials
import Web

/// A company as another system tells of it.
package struct SyncedCompany: SyncedRecord {
    package let key: ExternalIdentity
    package let updatedAt: Date?
    package let isDeleted: Bool
    var name: ContactInput.Field<String> = .unchanged
    /// Lower case, ASCII, without “www.”.
    var domain: ContactInput.Field<String> = .unchanged
    var phone: ContactInput.Field<String> = .unchanged
    var website: ContactInput.Field<String> = .unchanged
    /// A null takes the property away.
    var properties: [String: JSONValue] = [:]
}

extension SyncReader {
    private static let companyMembers: Set<String> = keyMembers.union([
        "name", "domain", "phone", "website", "properties",
    ])

    /// - Throws: `ValidationErrors` that name the members.
    package func company(_ value: JSONValue) throws(ValidationErrors) -> SyncedCompany {
        guard case .object(let json) = value else { throw ValidationErrors("", "A record is an object.") }
        var errors = ValidationErrors()
        for name in json.keys.sorted() where !Self.companyMembers.contains(name) {
            errors.add(name, "There is no member called “\(name.prefix(60))” here.")
        }
        let head: Head = head(json, &errors)
        var company = SyncedCompany(key: head.key, updatedAt: head.updatedAt, isDeleted: head.isDeleted)
        if !head.isDeleted {
            company.name = Self.name("name", json, &errors)
            if case .clear = company.name { errors.add("name", "A company needs a name.") }
            company.domain = Self.domain(json, &errors)
            company.phone = Self.name("phone", longest: 40, json, &errors)
            company.website = Self.name("website", longest: 2000, json, &errors)
            switch json["properties"] {
            case nil, .null: break
            case .object(let members): company.properties = members
            default: errors.add("properties", "This must be an object.")
            }
        }
        try errors.throwIfAny()
        return company
    }

    private static func domain(
        _ json: [String: JSONValue], _ errors: inout ValidationErrors
    ) -> ContactInput.Field<String> {
        let field: ContactInput.Field<String> = name("domain", longest: 260, json, &errors)
        guard case .set(let text) = field else { return field }
        if let domain = CompanyDomain(text) { return .set(domain.text) }
        errors.add("domain", "This is no domain, like example.com.")
        return .unchanged
    }
}
