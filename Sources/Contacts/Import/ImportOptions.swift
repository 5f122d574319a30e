import Core
import Postgres

/// What to do with people that are in the workspace already.
package enum ExistingPeople: String, Sendable, Codable, CaseIterable {
    /// What the file says replaces what is there; blank cells change nothing.
    case update
    /// Only blanks are filled.
    case fill
    /// They stay as they are. They are still put on the list.
    case skip
}

/// Why we may write to the people in a file.
package enum ConsentBasis: String, Sendable, Codable, CaseIterable {
    case consent, customer, transferred

    var words: String {
        switch self {
        case .consent: "They agreed to get e-mails from us"
        case .customer: "They are customers and can expect news about similar products"
        case .transferred: "They come from another tool, where they are subscribed"
        }
    }
}

/// How a file is to be imported: chosen on the preview page or given with the API call.
package struct ImportOptions: Sendable, Codable, Equatable {
    package var columns: [ColumnTarget]
    package var hasHeader: Bool
    package var tags: [String]
    package var onExisting: ExistingPeople
    package var consentBasis: String?
    /// ISO 3166 code of the country that numbers without a country code are from.
    package var region: String?
    /// The headings, for the file of failed rows.
    package var headings: [String]

    package init(
        columns: [ColumnTarget], hasHeader: Bool = true, tags: [String] = [], onExisting: ExistingPeople = .update,
        consentBasis: String? = nil, region: String? = nil, headings: [String] = []
    ) {
        self.columns = columns
        self.hasHeader = hasHeader
        self.tags = tags
        self.onExisting = onExisting
        self.consentBasis = consentBasis
        self.region = region
        self.headings = headings
    }

    /// The property columns in order, with their names as JSON keys.
    var properties: [(column: Int, name: String)] {
        columns.enumerated().compactMap { index, target in
            guard case .property(let name) = target else { return nil }
            return (index, name)
        }
    }

    /// Whether rows name companies.
    var hasCompanies: Bool { columns.contains(.companyName) || columns.contains(.companyDomain) }
}
