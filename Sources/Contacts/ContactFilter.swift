import Core
import FoundationEssentials
import Web

/// Which people a list shows. Lives in the URL.
package struct ContactFilter: Sendable, Hashable, Codable {
    /// Part of a name, an address or a phone number.
    package var query: String?
    package var list: ContactListID?
    package var status: EmailStatus?
    package var tag: String?
    /// The day since whose beginning (UTC) people were added: `2026-01-15`.
    package var since: String?
    /// People of this company.
    package var company: CompanyID?
    /// People with a value under this property's name, or with this value.
    package var property: String?
    package var value: String?
    /// Only people of whom nothing was heard for a long time. Nil: everybody.
    package var isInactive: Bool?
    /// The value in the index of a fast property; found out when people are looked for.
    var fast: FastMatch?

    package init(
        query: String? = nil, list: ContactListID? = nil, status: EmailStatus? = nil, tag: String? = nil,
        since: String? = nil, company: CompanyID? = nil, property: String? = nil, value: String? = nil
    ) {
        self.company = company
        self.property = property
        self.value = value
        self.query = query
        self.list = list
        self.status = status
        self.tag = tag
        self.since = since
    }

    package var isEmpty: Bool { self == ContactFilter() }

    /// Reads a query string or a form. Unusable values are errors: a filter that is silently dropped would show, or
    /// delete, the wrong people.
    package init(_ values: FormValues) throws(ValidationErrors) {
        var errors = ValidationErrors()
        query = values.optional("q").map { String($0.prefix(200)) }
        if let text = values.optional("list") ?? values.optional("listId") {
            list = ContactListID(text)
            if list == nil { errors.add("list", "There is no such list.") }
        }
        if let text = values.optional("status") {
            status = EmailStatus(rawValue: text)
            if status == nil {
                let known: String = EmailStatus.allCases.map(\.rawValue).joined(separator: ", ")
                errors.add("status", "The status must be one of \(known).")
            }
        }
        if let text = values.optional("inactive") {
            isInactive = ["1", "true"].contains(text) ? true : nil
            if isInactive == nil { errors.add("inactive", "This must be true, or left out.") }
        }
        tag = values.optional("tag").map { String($0.prefix(60)) }
        if let text = values.optional("since") {
            since = text
            if Self.day(text) == nil { errors.add("since", "Give a day like 2026-01-15.") }
        }
        if let text = values.optional("company") ?? values.optional("companyId") {
            company = CompanyID(text)
            if company == nil { errors.add("company", "There is no such company.") }
        }
        if let text = values.optional("property") {
            property = PropertyName(text)?.text
            if property == nil {
                errors.add("property", "A property's name has 1 to 60 characters, without line breaks.")
            }
            value = values.optional("value").map { String($0.prefix(200)) }
        }
        try errors.throwIfAny()
    }

    /// The filter as names and values of a query string.
    var pairs: [(String, String?)] {
        [
            ("q", query), ("list", list?.description), ("status", status?.rawValue), ("tag", tag), ("since", since),
            ("company", company?.description), ("property", property), ("value", value),
            ("inactive", isInactive == true ? "true" : nil),
        ]
    }

    /// The beginning of the day that `since` names.
    var sinceDate: Date? { since.flatMap(Self.day) }

    private static func day(_ text: String) -> Date? {
        let parts: [Substring] = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2,
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        guard let date = calendar.date(from: DateComponents(year: year, month: month, day: day)) else { return nil }
        return calendar.component(.day, from: date) == day ? date : nil
    }
}

/// How a list of people is ordered.
package enum ContactSort: String, Sendable, CaseIterable {
    /// The newest first.
    case newest
    /// By last name, then first name.
    case name
    case email

    package init(_ values: FormValues) throws(ValidationErrors) {
        guard let text = values.optional("sort") else {
            self = .newest
            return
        }
        guard let sort = ContactSort(rawValue: text) else {
            throw ValidationErrors("sort", "Sort by newest, name or email.")
        }
        self = sort
    }
}
