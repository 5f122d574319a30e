import Core
import FoundationEssentials
import Templates

/// Turns page structs into HTML with the views of the library.
package struct PageRenderer: Sendable {
    /// The library in force; in development a reloader swaps it.
    private let library: @Sendable () -> ViewLibrary

    package init(_ library: @escaping @Sendable () -> ViewLibrary) {
        self.library = library
    }

    /// One page with what surrounds it.
    struct Rendering {
        let library: ViewLibrary
        let chrome: Chrome
        let fragment: String?

        func render(_ page: some ViewPage) throws -> [UInt8] {
            try library.render(page, chrome: chrome, fragment: fragment)
        }
    }

    func rendering(chrome: Chrome, fragment: String?) -> Rendering {
        Rendering(library: library(), chrome: chrome, fragment: fragment)
    }
}
