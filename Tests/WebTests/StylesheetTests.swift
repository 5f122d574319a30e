import Foundation
import Testing

@Suite("The design system")
struct StylesheetTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// A pair of tokens that stand on each other, with the least contrast that WCAG 2.2 asks of it.
    struct Pair: Sendable, CustomTestStringConvertible {
        let ink: String
        let ground: String
        let least: Double

        var testDescription: String { "\(ink) on \(ground)" }
    }

    private static func pairs(_ inks: [String], on grounds: [String], _ least: Double) -> [Pair] {
        inks.flatMap { ink in grounds.map { Pair(ink: ink, ground: $0, least: least) } }
    }

    static let pairs: [Pair] =
        pairs(
            ["text", "muted", "accent-text"],
            on: ["surface", "surface-sunken", "surface-raised", "surface-hover", "surface-selected"], 4.5)
        + pairs(["text", "muted"], on: ["neutral-soft"], 4.5)
        + pairs(["ok", "warn", "danger", "info"], on: ["surface", "surface-raised", "surface-hover"], 4.5)
        + ["ok", "warn", "danger", "info"].map { Pair(ink: $0, ground: "\($0)-soft", least: 4.5) }
        + pairs(["on-accent"], on: ["accent", "accent-hover", "danger-solid", "danger-hover"], 4.5)
        + pairs(["control", "focus"], on: ["surface", "surface-sunken", "surface-selected"], 3)
        + pairs(["data-1", "data-2", "data-3", "data-4", "data-5", "data-6"], on: ["surface"], 3)

    @Test("Colours that stand on each other can be told apart, in light and in dark", arguments: pairs)
    func contrast(of pair: Pair) throws {
        let tokens = try Self.tokens()
        let ink = try #require(tokens[pair.ink])
        let ground = try #require(tokens[pair.ground])
        #expect(ink.light.contrast(to: ground.light) >= pair.least)
        #expect(ink.dark.contrast(to: ground.dark) >= pair.least)
    }

    @Test("Every icon that a view names is in the sprite")
    func icons() throws {
        let sprite = try Self.text("Public/img/icons.svg")
        let known = Set(sprite.matches(of: /symbol id="([a-z0-9-]+)"/).map { String($0.1) })
        #expect(known.count >= 45)
        let views = Self.root.appending(path: "Views")
        let files = try #require(FileManager.default.enumerator(at: views, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "html" {
            let view = try String(contentsOf: file, encoding: .utf8)
            let names = view.matches(of: /(?:{% icon |icon: )"([a-z0-9-]+)"/).map { String($0.1) }
            for name in names { #expect(known.contains(name), "\(file.lastPathComponent) names the icon \(name)") }
        }
    }

    @Test("What every page loads stays small")
    func weight() throws {
        #expect(try Self.text("Public/css/app.css").utf8.count < 52_000)
        for module in ["app", "page", "interface", "controls", "forms", "tables", "dialogs", "live", "preview"] {
            #expect(try Self.text("Public/js/\(module).js").utf8.count < 4_096, "\(module).js")
        }
    }

    // MARK: Tokens

    struct Colour {
        let channels: [Double]

        init?(_ hex: Substring) {
            guard hex.count == 6, let value = Int(hex, radix: 16) else { return nil }
            channels = [16, 8, 0].map { Double((value >> $0) & 0xff) / 255 }
        }

        /// Relative luminance of WCAG 2.2.
        var luminance: Double {
            let linear = channels.map { $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4) }
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }

        func contrast(to other: Colour) -> Double {
            let (low, high) = (min(luminance, other.luminance), max(luminance, other.luminance))
            return (high + 0.05) / (low + 0.05)
        }
    }

    private static func tokens() throws -> [String: (light: Colour, dark: Colour)] {
        let css = try text("Public/css/app.css")
        var tokens: [String: (light: Colour, dark: Colour)] = [:]
        for match in css.matches(of: /--([a-z0-9-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\);/) {
            guard let light = Colour(match.2), let dark = Colour(match.3) else { continue }
            tokens[String(match.1)] = (light, dark)
        }
        for match in css.matches(of: /--([a-z0-9-]+): #([0-9a-f]{6});/) {
            guard let colour = Colour(match.2) else { continue }
            tokens[String(match.1)] = (colour, colour)
        }
        return tokens
    }
}
