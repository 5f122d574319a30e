import FoundationEssentials

/// All views, checked and linked. Made once when the server starts; rendering reads no file.
package struct ViewLibrary: Sendable {
    private struct Page: Sendable {
        let type: ObjectIdentifier
        let program: ViewProgram
        let fragments: [String: ViewProgram]
    }

    private let programs: [String: Page]
    private let chrome: ObjectIdentifier
    private let clock: ViewClockSlots
    /// The names of all view files, sorted; for lists and messages.
    package let names: [String]

    /// Parses, checks and links views.
    ///
    /// - Parameters:
    ///   - sources: the text of each file by its path under `Views`, such as `contacts/index.html`.
    ///   - pages: every page type; each needs its view, and no view may name another.
    ///   - records: record types that only parameters of components name; all others are found through fields.
    ///   - chrome: the type of `chrome`, which every view sees.
    ///   - sprite: the asset that holds the icons.
    ///   - icons: the names of all icons, to refuse unknown ones; nil to accept any.
    ///   - asset: the address of an asset by its path, or nil when there is none.
    /// - Throws: all mistakes of all files together.
    package static func load(
        sources: [String: String], pages: [any ViewPage.Type], records: [any ViewRecord.Type] = [],
        chrome: any ViewRecord.Type, sprite: String = "icons.svg", icons: Set<String>? = nil,
        asset: @escaping @Sendable (String) -> String?
    ) throws(ViewErrors) -> ViewLibrary {
        let assets = ViewAssets(url: asset, sprite: sprite, icons: icons)
        var build = ViewBuild(pages: pages, records: records, chrome: chrome)
        let checked: [String: ViewCheckedFile] = try build.check(sources, assets)
        return ViewLibrary(checked, pages: pages, chrome: chrome)
    }

    /// The same from a directory: every `.html` and `.txt` file under it.
    package static func load(
        directory: String, pages: [any ViewPage.Type], records: [any ViewRecord.Type] = [],
        chrome: any ViewRecord.Type, sprite: String = "icons.svg", icons: Set<String>? = nil,
        asset: @escaping @Sendable (String) -> String?
    ) throws(ViewErrors) -> ViewLibrary {
        try load(
            sources: try ViewDirectory(directory).sources(), pages: pages, records: records, chrome: chrome,
            sprite: sprite, icons: icons, asset: asset)
    }

    private init(
        _ files: [String: ViewCheckedFile], pages: [any ViewPage.Type], chrome: any ViewRecord.Type
    ) {
        var programs: [String: Page] = [:]
        for type in pages {
            for name in [type.view, type.view + ".txt"] {
                guard let file = files[name] else { continue }
                programs[name] = Page(
                    type: ObjectIdentifier(type), program: ViewLinker.page(file, among: files),
                    fragments: file.fragments.mapValues { ViewLinker.fragment($0, of: file, among: files) })
            }
        }
        self.programs = programs
        self.chrome = ObjectIdentifier(chrome)
        clock = ViewClockSlots(chrome.shape)
        names = files.keys.sorted()
    }

    /// Renders a page, or one fragment of it.
    ///
    /// - Throws: `ViewRenderError` when the library was loaded without this page, fragment or type of chrome.
    package func render<P: ViewPage, C: ViewRecord>(
        _ page: P, chrome: C, fragment: String? = nil
    ) throws(ViewRenderError) -> [UInt8] {
        try render(page, view: P.view, chrome: chrome, fragment: fragment)
    }

    /// Renders the text file beside a page's view: `mail/welcome.txt` for `mail/welcome`.
    package func renderText<P: ViewPage, C: ViewRecord>(
        _ page: P, chrome: C, fragment: String? = nil
    ) throws(ViewRenderError) -> String {
        let view: String = P.view.hasSuffix(".txt") ? P.view : P.view + ".txt"
        return String(decoding: try render(page, view: view, chrome: chrome, fragment: fragment), as: UTF8.self)
    }

    private func render<P: ViewPage, C: ViewRecord>(
        _ page: P, view: String, chrome: C, fragment: String?
    ) throws(ViewRenderError) -> [UInt8] {
        guard let known = programs[view], known.type == ObjectIdentifier(P.self) else {
            throw ViewRenderError.unknownPage(view)
        }
        guard self.chrome == ObjectIdentifier(C.self) else { throw ViewRenderError.wrongChrome(C.viewType) }
        var program: ViewProgram = known.program
        if let fragment {
            guard let part = known.fragments[fragment] else {
                throw ViewRenderError.unknownFragment(fragment, view: view)
            }
            program = part
        }
        var machine = ViewMachine(
            program, page: ViewBox(page, P.fields), chrome: ViewBox(chrome, C.fields), clock: clock)
        machine.run()
        return machine.output
    }

    /// Whether a page has a fragment of this name.
    package func hasFragment(_ name: String, in page: any ViewPage.Type) -> Bool {
        programs[page.view]?.fragments[name] != nil
    }

    /// Whether a page has a view in HTML.
    package func hasPage(_ page: any ViewPage.Type) -> Bool {
        programs[page.view] != nil
    }

    /// Whether a text file stands beside a page's view.
    package func hasText(_ page: any ViewPage.Type) -> Bool {
        programs[page.view.hasSuffix(".txt") ? page.view : page.view + ".txt"] != nil
    }
}
