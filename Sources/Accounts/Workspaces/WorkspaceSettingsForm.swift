import Core
import Foundation
import Web

/// The settings of a workspace as typed.
struct WorkspaceSettingsForm: Sendable {
    var name: String
    var timeZone: String
    var locale: String
    var postalAddress: String
    var brandName: String
    var brandColor: String
    var brandLogo: String
    var trackOpens: Bool
    var trackClicks: Bool

    static let locales = [
        ("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("it", "Italiano"),
    ]

    init(_ form: FormValues) {
        name = form.text("name")
        timeZone = form.text("timeZone")
        locale = form.optional("locale") ?? "en"
        postalAddress = form.text("postalAddress")
        brandName = form.text("brandName")
        brandColor = form.text("brandColor").lowercased()
        brandLogo = form.text("brandLogo")
        trackOpens = form.flag("trackOpens")
        trackClicks = form.flag("trackClicks")
    }

    init(_ workspace: Workspace) {
        name = workspace.name
        timeZone = workspace.timeZone
        locale = workspace.locale
        postalAddress = workspace.postalAddress
        brandName = workspace.brandName
        brandColor = workspace.brandColor
        brandLogo = workspace.brandLogo
        trackOpens = workspace.trackOpens
        trackClicks = workspace.trackClicks
    }

    func validate() throws(ValidationErrors) {
        var errors = ValidationErrors()
        if name.isEmpty { errors.add("name", "Give the workspace a name.") }
        if name.count > 100 { errors.add("name", "Use at most 100 characters.") }
        for (field, text) in [("name", name), ("brandName", brandName)] where !text.isOneLine {
            errors.add(field, "Write the name in one line.")
        }
        if !TimeZoneNames.isKnown(timeZone) { errors.add("timeZone", "Choose a time zone from the list.") }
        if !Self.locales.contains(where: { $0.0 == locale }) {
            errors.add("locale", "Choose a language from the list.")
        }
        if postalAddress.count > 500 { errors.add("postalAddress", "Use at most 500 characters.") }
        if brandName.count > 100 { errors.add("brandName", "Use at most 100 characters.") }
        if !brandColor.isEmpty, brandColor.wholeMatch(of: /#[0-9a-f]{6}/) == nil {
            errors.add("brandColor", "Write the colour as # and six digits, like #0b57d0.")
        }
        if !brandLogo.isEmpty, !brandLogo.hasPrefix("https://") || brandLogo.contains(where: \.isWhitespace) {
            errors.add("brandLogo", "Give the picture's full address, starting with https://.")
        }
        try errors.throwIfAny()
    }
}

/// The time zones that a workspace may choose, by IANA name.
package enum TimeZoneNames {
    package static func isKnown(_ name: String) -> Bool {
        !name.isEmpty && TimeZone(identifier: name) != nil
    }

    /// The common ones, one for each offset and big city; read once.
    package static let all: [String] = {
        let areas: Set<Substring> = [
            "Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
        ]
        let names = TimeZone.knownTimeZoneIdentifiers.filter { name in
            name.split(separator: "/").first.map(areas.contains) ?? false
        }
        return ["UTC"] + names.sorted()
    }()
}
