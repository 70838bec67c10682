/** `damselfly/disks` in Node: all devices and layers, disks in files among them. */
export * from '../index.ts';
export { FileDisk, type FileDiskOptions, ImageBusyError } from './file.ts';
