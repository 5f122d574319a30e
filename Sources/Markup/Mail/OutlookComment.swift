/// The conditional comments that we write ourselves, and the only comments that survive cleaning.
///
/// Outlook for Windows ignores `max-width`, so it gets a table of a fixed width around the content ("ghost table").
package enum OutlookComment {
    package static let openTable =
        "[if mso]><table role=\"presentation\" align=\"center\" width=\"600\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">"
        + "<tr><td><![endif]"
    package static let closeTable = "[if mso]></td></tr></table><![endif]"

    static func isOurs(_ comment: String) -> Bool {
        comment == openTable || comment == closeTable
    }
}
