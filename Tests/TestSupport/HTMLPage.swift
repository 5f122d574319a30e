import Markup

/// A page as a test reads it: `page.one("form[action='/x'] input[name=name]")`.
///
/// Selectors know types, classes, ids, attributes (`=`, `^=`, `$=`, `*=`, `~=`), descendants, children and comma lists.
package struct HTMLPage: Sendable {
    /// What a query found wrong with the page.
    package struct Mismatch: Error, CustomStringConvertible {
        package let description: String
    }

    package let document: HTMLDocument
    private let html: String

    package init(_ html: String) throws {
        self.html = html
        document = try HTMLDocument.parse(html, limits: MarkupLimits(bytes: 16 << 20))
    }

    package func all(_ selector: String) -> [HTMLElement] {
        document.all(selector)
    }

    /// The only element that the selector fits.
    package func one(_ selector: String) throws -> HTMLElement {
        let found = all(selector)
        guard found.count == 1, let element = found.first else {
            throw Mismatch(description: "\(found.count) elements fit \(selector) in:\n\(html.prefix(4000))")
        }
        return element
    }

    package func has(_ selector: String) -> Bool {
        !all(selector).isEmpty
    }

    /// What a reader sees of the page, with runs of white space as one space.
    package var text: String {
        document.first("body")?.readableText ?? ""
    }

    /// The text of the only element that the selector fits.
    package func text(_ selector: String) throws -> String {
        try one(selector).readableText
    }

    /// The fields of a form with the values that a browser would send unchanged: hidden ones with the CSRF token included.
    package func fields(of form: String) throws -> [String: String] {
        var fields: [String: String] = [:]
        [HTMLNode.element(try one(form))].walk { element, _ in
            guard let name = element["name"], element["disabled"] == nil else { return }
            switch element.name {
            case "input" where ["checkbox", "radio"].contains(element["type"]):
                if element["checked"] != nil { fields[name] = element["value"] ?? "on" }
            case "input" where !["submit", "button", "file", "image"].contains(element["type"]):
                fields[name] = element["value"] ?? ""
            case "textarea": fields[name] = element.text
            case "select": fields[name] = Self.selected(in: element)
            default: break
            }
        }
        return fields
    }

    private static func selected(in select: HTMLElement) -> String? {
        var options: [HTMLElement] = []
        select.children.walk { element, _ in if element.name == "option" { options.append(element) } }
        let option = options.first { $0["selected"] != nil } ?? options.first
        return option.map { $0["value"] ?? $0.readableText }
    }
}
