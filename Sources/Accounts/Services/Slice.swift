import Jobs
import Templates
import Web

/// A part of the product that owns its tables, rules, pages and API. `Portal` lists them.
package protocol Slice: Sendable {
    /// Every page struct of the slice, so that its view is checked at start.
    static var pages: [any ViewPage.Type] { get }
    static var navigation: [NavItem] { get }

    func routes(_ table: inout RouteTable)
    func jobs(_ registry: inout JobRegistry)
}

extension Slice {
    package static var navigation: [NavItem] { [] }

    package func jobs(_: inout JobRegistry) {}
}
