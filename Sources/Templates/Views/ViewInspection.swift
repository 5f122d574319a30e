/// What `portal views` does: loads all views, renders every preview, and says what it found. A page without
/// previews is named, but is no mistake.
package struct ViewInspection: Sendable {
    /// For people, with a line break at the end.
    package let report: String
    package let isSound: Bool

    /// Loads with `load`, then renders the previews of all pages, HTML and text.
    ///
    /// - Parameter chrome: what all previews see as `chrome`.
    package init<Chrome: ViewRecord>(
        pages: [any ViewPage.Type], chrome: Chrome, load: () throws(ViewErrors) -> ViewLibrary
    ) {
        let library: ViewLibrary
        do throws(ViewErrors) {
            library = try load()
        } catch {
            report = "\(error)\n"
            isSound = false
            return
        }
        var count = 0
        var problems: [String] = []
        var notes: [String] = []
        for page in pages {
            let (rendered, failures) = Self.previews(of: page, library, chrome)
            count += rendered
            if rendered == 0, failures.isEmpty { notes.append("\(page.viewType) has no examples to render\n") }
            problems += failures
        }
        let summary = "\(library.names.count) views, \(pages.count) pages, \(count) previews"
        isSound = problems.isEmpty
        let verdict: String = problems.isEmpty ? "\(summary): no mistakes\n" : "\(summary)\n"
        report = problems.map { $0 + "\n" }.joined() + notes.joined() + verdict
    }

    private static func previews<Page: ViewPage, Chrome: ViewRecord>(
        of type: Page.Type, _ library: ViewLibrary, _ chrome: Chrome
    ) -> (count: Int, problems: [String]) {
        let previews: [Page] = Page.previews
        var problems: [String] = []
        for preview in previews {
            do throws(ViewRenderError) {
                if library.hasPage(type) { _ = try library.render(preview, chrome: chrome) }
                if library.hasText(type) { _ = try library.renderText(preview, chrome: chrome) }
            } catch {
                problems.append("\(Page.viewType): \(error)")
            }
        }
        return (previews.count, problems)
    }
}
