import Jobs
import Templates
import Web

/// A part of the product that owns its tables, rules, pages and API. `Portal` lists them.
package protocol Slice: Sendable {
    /// Every page struct of the slice, so that its view is checked at start.
    static var pages: [any ViewPage.Type] { get }
    static var navigation: [NavItem] { get }
    /// The tables that say something about single people: every table with a `contact_id`, and those that hold addresses.
    static var personalTables: [PersonalTable] { get }
    /// How long the slice keeps what grows old.
    static var retentionRules: [RetentionRule] { get }
    /// Where the slice sees that people are still there.
    static var signsOfLife: [SignOfLife] { get }

    func routes(_ table: inout RouteTable)
    func jobs(_ registry: inout JobRegistry)
}

extension Slice {
    package static var navigation: [NavItem] { [] }
    package static var personalTables: [PersonalTable] { [] }
    package static var retentionRules: [RetentionRule] { [] }
    package static var signsOfLife: [SignOfLife] { [] }

    package func jobs(_: inout JobRegistry) {}
}
