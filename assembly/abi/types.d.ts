/** The AssemblyScript number types that the shared files name, as TypeScript sees them. */
declare type i32 = number;
declare type u32 = number;
