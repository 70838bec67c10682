/** The kinds of file system that the tests of ext4 go through, as arguments of mke2fs. */
export const SHAPES: [string, string[]][] = [
  ['ext2, 1 KiB', ['-t', 'ext2', '-b', '1024']],
  ['ext2, 4 KiB, -I 128, no dir_index', ['-t', 'ext2', '-b', '4096', '-I', '128', '-O', '^dir_index']],
  ['ext2 without filetype', ['-t', 'ext2', '-b', '2048', '-O', '^filetype']],
  ['ext3, 1 KiB', ['-t', 'ext3', '-b', '1024']],
  ['ext3, 4 KiB', ['-t', 'ext3', '-b', '4096']],
  ['ext4, 1 KiB', ['-t', 'ext4', '-b', '1024']],
  ['ext4, 2 KiB', ['-t', 'ext4', '-b', '2048']],
  ['ext4, 4 KiB', ['-t', 'ext4', '-b', '4096']],
  [
    'ext4 without 64bit and metadata_csum',
    ['-t', 'ext4', '-b', '1024', '-O', '^64bit,^metadata_csum,uninit_bg'],
  ],
  ['ext4, meta_bg', ['-t', 'ext4', '-b', '1024', '-O', 'meta_bg,^resize_inode', '-g', '1024']],
  ['ext4, sparse_super2', ['-t', 'ext4', '-b', '1024', '-O', 'sparse_super2,^resize_inode']],
  ['ext4, large_dir', ['-t', 'ext4', '-b', '1024', '-O', 'large_dir']],
  ['ext4, inline_data', ['-t', 'ext4', '-b', '1024', '-O', 'inline_data']],
  ['ext4, -I 128', ['-t', 'ext4', '-b', '1024', '-I', '128']],
  [
    'ext4, metadata_csum_seed and orphan_file',
    ['-t', 'ext4', '-b', '4096', '-O', 'metadata_csum_seed,orphan_file'],
  ],
];
