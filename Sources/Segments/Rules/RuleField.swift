import Contacts
import Core

/// What kind of values a field holds: it decides which operators there are and what they take.
package enum FieldKind: Sendable, Hashable {
    case text, email, phone, number, money, boolean, date, moment
    /// One of a set of values.
    case choice
    /// Several of a set of values.
    case choices
    case company, list, user

    package var operators: [RuleOperator] {
        switch self {
        case .text, .email, .phone:
            [
                .equals, .differs, .contains, .notContains, .startsWith, .endsWith, .oneOf, .noneOf, .isEmpty,
                .isNotEmpty,
            ]
        case .number:
            [
                .equals, .differs, .moreThan, .lessThan, .atLeast, .atMost, .between, .oneOf, .noneOf, .isEmpty,
                .isNotEmpty,
            ]
        case .money: [.equals, .differs, .moreThan, .lessThan, .atLeast, .atMost, .between, .isEmpty, .isNotEmpty]
        case .boolean: [.equals, .differs, .isEmpty, .isNotEmpty]
        case .date:
            [
                .equals, .differs, .before, .after, .between, .inLast, .inNext, .olderThan, .dayOfYearIs,
                .dayOfYearInNext, .dayOfYearInLast, .dayOfYearBetween, .monthIs, .isEmpty, .isNotEmpty,
            ]
        case .moment:
            [.equals, .differs, .before, .after, .between, .inLast, .inNext, .olderThan, .isEmpty, .isNotEmpty]
        case .choice: [.equals, .differs, .oneOf, .noneOf, .isEmpty, .isNotEmpty]
        case .choices: [.contains, .notContains, .containsAny, .containsAll, .containsNone, .isEmpty, .isNotEmpty]
        case .company, .user: [.equals, .differs, .oneOf, .noneOf, .isEmpty, .isNotEmpty]
        case .list: [.equals, .differs, .oneOf, .noneOf]
        }
    }

    init(_ type: PropertyType) {
        switch type {
        case .text, .longText, .url: self = .text
        case .number: self = .number
        case .money: self = .money
        case .boolean: self = .boolean
        case .date: self = .date
        case .dateTime: self = .moment
        case .singleSelect: self = .choice
        case .multiSelect: self = .choices
        }
    }
}

/// A custom property as rules know it.
package struct RuleProperty: Sendable, Hashable {
    package let id: PropertyID
    package let name: String
    package let type: PropertyType
    /// Its values stand in the table of property values too, where an index finds people by them.
    package let isFast: Bool
}

/// What a condition looks at.
package enum RuleField: Sendable, Hashable {
    case email, phone, firstName, lastName, tags, emailStatus, source, createdAt, trackingAllowed
    case property(RuleProperty)
    case company
    case companyField(CompanyField)
    case companyProperty(RuleProperty)
    case list
    case consent(ConsentChannel)

    package enum CompanyField: String, Sendable, CaseIterable {
        case name, domain, phone, website, owner, createdAt
    }

    package enum ConsentChannel: String, Sendable, CaseIterable {
        case email, sms
    }

    package var kind: FieldKind {
        switch self {
        case .email: .email
        case .phone: .phone
        case .firstName, .lastName, .source: .text
        case .tags: .choices
        case .emailStatus: .choice
        case .createdAt: .moment
        case .trackingAllowed, .consent: .boolean
        case .property(let property), .companyProperty(let property): FieldKind(property.type)
        case .company: .company
        case .companyField(.owner): .user
        case .companyField(.createdAt): .moment
        case .companyField: .text
        case .list: .list
        }
    }

    /// Its name in rules.
    package var path: String {
        switch self {
        case .email: "email"
        case .phone: "phone"
        case .firstName: "firstName"
        case .lastName: "lastName"
        case .tags: "tags"
        case .emailStatus: "emailStatus"
        case .source: "source"
        case .createdAt: "createdAt"
        case .trackingAllowed: "trackingAllowed"
        case .property(let property): "properties.\(property.name)"
        case .company: "company"
        case .companyField(let field): "company.\(field.rawValue)"
        case .companyProperty(let property): "company.properties.\(property.name)"
        case .list: "list"
        case .consent(let channel): "consent.\(channel.rawValue)"
        }
    }

    /// What a note of changes calls it (see `AudienceChanges`): a change of any of these may change the answer.
    package var changes: [String] {
        switch self {
        case .consent: ["consent"]
        case .companyField, .companyProperty: ["company", path]
        default: [path]
        }
    }

    /// The fields that every workspace has.
    static let fixed: [RuleField] =
        [
            .email, .firstName, .lastName, .phone, .tags, .emailStatus, .list, .source, .createdAt, .company,
            .trackingAllowed,
        ]
        + CompanyField.allCases.map(RuleField.companyField) + ConsentChannel.allCases.map(RuleField.consent)

    /// How pages call it.
    package var label: String {
        switch self {
        case .email: "E-mail address"
        case .phone: "Phone number"
        case .firstName: "First name"
        case .lastName: "Last name"
        case .tags: "Tags"
        case .emailStatus: "E-mail status"
        case .source: "Source"
        case .createdAt: "Added on"
        case .trackingAllowed: "May be tracked"
        case .property(let property): property.name
        case .company: "Company"
        case .companyField(.createdAt): "Company added on"
        case .companyField(let field): "Company \(field.rawValue)"
        case .companyProperty(let property): "Company \(property.name)"
        case .list: "List or segment"
        case .consent(.email): "Consent to e-mail"
        case .consent(.sms): "Consent to SMS"
        }
    }
}
