import Core
import Templates

/// A piece of the author's Liquid, compiled once and rendered for every person.
final class MergeTemplate: Sendable {
    private let template: LiquidTemplate

    /// - Throws: the parse error, with its line.
    init(_ source: String, mode: LiquidMode) throws(TemplateError) {
        template = try LiquidTemplate(source, mode: mode)
    }

    /// Whether it reads more of a contact than the fields that every contact has.
    var usesProperties: Bool {
        template.variablePaths.contains { !MergeData.isCheap($0.path) }
    }

    func append(for recipient: Recipient, to output: inout [UInt8]) throws {
        try template.render(recipient.data, into: &output)
    }

    func rendered(for recipient: Recipient) throws -> [UInt8] {
        var output: [UInt8] = []
        try append(for: recipient, to: &output)
        return output
    }
}
