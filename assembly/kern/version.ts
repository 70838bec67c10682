/** What this kernel is called: kernel.ostype and kernel.osrelease (which is the package's version). */
export const OSTYPE: string = 'Damselfly';
export const OSRELEASE: string = '0.1.0';
