import Core
import FoundationEssentials
import Templates

/// Turns page structs into HTML with the views of the library.
package struct PageRenderer: Sendable {
    /// The library in force. In development it follows the files, and a mistake in one of them is thrown.
    private let library: @Sendable () throws -> ViewLibrary

    package init(_ library: @escaping @Sendable () throws -> ViewLibrary) {
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

    func rendering(chrome: Chrome, fragment: String?) throws -> Rendering {
        Rendering(library: try library(), chrome: chrome, fragment: fragment)
    }
}
