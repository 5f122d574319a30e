import Core
import FoundationEssentials
import Postgres

/// A workspace's own settings: what its pages, mails and links need to know.
package struct Workspace: PostgresRow, Equatable {
    package let id: WorkspaceID
    package var name: String
    /// Travels inside message ids, so that a click finds its workspace.
    package let routingKey: Int32
    /// An IANA name.
    package var timeZone: String
    package var locale: String
    /// Printed at the foot of every campaign, as the law of many countries asks.
    package var postalAddress: String
    package var brandName: String
    /// `#rrggbb`, or empty.
    package var brandColor: String
    package var brandLogo: String
    package var trackOpens: Bool
    package var trackClicks: Bool
    package let createdAt: Date
    package let updatedAt: Date

    /// The name that recipients know: the brand, or else the workspace.
    package var publicName: String { brandName.isEmpty ? name : brandName }

    package static let columns: SQL = """
        id, name, routing_key, time_zone, locale, postal_address, brand_name, brand_color, brand_logo, track_opens,
        track_clicks, created_at, updated_at
        """

    package init(row: inout RowReader) throws {
        id = try row.next()
        name = try row.next()
        routingKey = try row.next()
        timeZone = try row.next()
        locale = try row.next()
        postalAddress = try row.next()
        brandName = try row.next()
        brandColor = try row.next()
        brandLogo = try row.next()
        trackOpens = try row.next()
        trackClicks = try row.next()
        createdAt = try row.next()
        updatedAt = try row.next()
    }
}
