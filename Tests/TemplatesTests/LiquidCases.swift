import Core
import Foundation
import Testing

@testable import Templates

/// One row of a table: a template, its data as JSON, and what comes out; nil where it must be an error.
struct LiquidCase: Sendable, CustomTestStringConvertible {
    let template: String
    let data: String
    let result: String?

    init(_ template: String, _ result: String?, _ data: String = "{}") {
        self.template = template
        self.result = result
        self.data = data
    }

    var testDescription: String { template }

    /// What rendering as plain text gives; nil for an error.
    func rendered(_ snippets: [String: String] = [:]) throws -> String? {
        let value: LiquidValue = try LiquidJSON.parse(Array(data.utf8))
        do throws(TemplateError) {
            let template = try LiquidTemplate(self.template, mode: .text)
            return try template.render(
                value, partials: LiquidSnippets(snippets, mode: .text), clock: LiquidCase.clock)
        } catch {
            return nil
        }
    }

    /// Saturday, 29 February 2020, 13:05:09 UTC.
    static let clock = WallClock.fixed(Date(timeIntervalSince1970: 1_582_981_509))
}
